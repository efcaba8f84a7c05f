"""`python -m progfix`, which is what `torchrun -m progfix` runs."""

from progfix.cli.app import main

if __name__ == "__main__":
    main()
