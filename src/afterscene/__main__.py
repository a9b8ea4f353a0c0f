"""``python -m afterscene`` is the ``afterscene`` command."""

from afterscene.cli import main

if __name__ == "__main__":
    main()
