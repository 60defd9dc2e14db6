"""`python -m rfm_backend` is the command `rfm`."""

from rfm_backend.cli import main

if __name__ == "__main__":
    main()
