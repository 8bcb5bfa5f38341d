"""The other servers, each as its own guide tunes it. Every file runs in an environment of its own: see its .in file."""
