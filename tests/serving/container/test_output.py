"""Is every line on standard output whole, whoever writes it?"""

import json
import subprocess
import sys

WRITERS = """
import threading
from mlplatform_cdk.runtimekit import logs
log = logs.logger("test")
def write(): [logs.write('"' + 9000 * "a" + '"\\n') for _ in range(100)]
def tell(): [log.info("b") for _ in range(1000)]
threads = [threading.Thread(target=one) for one in (write, tell, write)]
[one.start() for one in threads]
[one.join() for one in threads]
"""


def test_lines_of_several_threads_do_not_mix_even_where_output_is_unbuffered() -> None:
    told = subprocess.run([sys.executable, "-u", "-c", WRITERS], stdout=subprocess.PIPE, check=True, timeout=60)

    lines = [json.loads(line) for line in told.stdout.splitlines()]
    assert len(lines) == 1200
