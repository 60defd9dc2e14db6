"""The long forms of what runs shortened in the tests, and one table of figure against goal.

Run by ``make check-security``; it ends with 1 where a goal is missed.
"""

import sys

from figures import print_table, run_tests

if __name__ == "__main__":
    raise SystemExit(print_table(run_tests(["-s", "-m", "security_long", *sys.argv[1:]])))
