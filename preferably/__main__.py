"""`python -m preferably` is the command `preferably`."""

from preferably.command import main

if __name__ == "__main__":
    main()
