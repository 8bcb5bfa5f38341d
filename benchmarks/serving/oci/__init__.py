"""The serving image, built and run for real without Docker: ``python -m benchmarks.serving.oci``.

A base of Debian, of the machine's own release or another (debootstrap), the Dockerfile built by buildah, and the result
run in namespaces of its own: read-only, as nobody, without a shell. It needs root and those two tools, and no daemon.
"""
