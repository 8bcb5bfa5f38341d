"""When an experiment may start by itself: while people are at work, who can look at it."""

import re

_CRON = re.compile(r"cron\((?P<minute>\S+) (?P<hour>\S+) (?P<day>\S+) (?P<month>\S+) (?P<weekday>\S+) (?P<year>\S+)\)")
_DAYS = ("MON", "TUE", "WED", "THU", "FRI")
_FIRST, _LAST = 8, 15  # an hour that begins; an experiment and its mending end before people leave
_LAST_MINUTE = 59


def wrong_hours(cron: str) -> str:
    """What is wrong with a schedule, or nothing.

    :param cron: six fields of EventBridge Scheduler: one minute, one hour, and days of the week by name.
    """
    found = _CRON.fullmatch(cron)
    if found is None:
        return f"a schedule must be like 'cron(0 10 ? * TUE *)', got {cron!r}"
    hour, minute = found["hour"], found["minute"]
    if not (hour.isdigit() and _FIRST <= int(hour) <= _LAST and minute.isdigit() and int(minute) <= _LAST_MINUTE):
        return f"a schedule must name one minute of one hour from {_FIRST} to {_LAST}, while people work, got {cron!r}"
    if found["day"] != "?" or not all(day in _DAYS for day in re.split("[,-]", found["weekday"])):
        return f"a schedule must name days from MON to FRI, with '?' for the day of the month, got {cron!r}"
    return ""
