"""The modules of accounts, tokens, uploads and jobs: the one list that coverage and mutation read.

In:  nothing.
Out: `PROVEN`, paths within the package; `TESTS`, what is run to see every branch of them.

Tests that start many processes of their own to kill or to plant faults in them (faults/check.py) prove the
same modules in another way, and are no part of this.
"""

from typing import Final

PROVEN: Final = (
    "api/accounts.py",
    "api/uploads.py",
    "child.py",
    "fork_server.py",
    "jobs/compute.py",
    "jobs/progress_file.py",
    "jobs/publish.py",
    "jobs/sweep.py",
    "jobs/worker.py",
    "services/accounts.py",
    "services/devices.py",
    "services/logins.py",
    "services/passwords.py",
    "services/throttle.py",
    "services/tokens.py",
    "services/uploads.py",
    "storage/api_tokens.py",
    "storage/attempts.py",
    "storage/files.py",
    "storage/jobs.py",
    "storage/logins.py",
    "storage/uploads.py",
    "storage/users.py",
)
TESTS: Final = (
    "tests/test_child.py",
    "tests/api/test_access.py",
    "tests/api/test_accounts.py",
    "tests/api/test_login_time.py",
    "tests/api/test_processing.py",
    "tests/api/test_throttle.py",
    "tests/api/test_tokens.py",
    "tests/api/test_uploads.py",
    "tests/cli/test_admin.py",
    "tests/doors/test_raw_requests.py::test_a_form_is_whole_and_holds_one_file",
    "tests/faults/test_deleted_meanwhile.py",
    "tests/faults/test_disk_full.py",
    "tests/faults/test_key.py",
    "tests/jobs/test_ends.py",
    "tests/jobs/test_progress_file.py",
    "tests/jobs/test_publish.py",
    "tests/jobs/test_sweep.py",
    "tests/jobs/test_untold.py",
    "tests/services/test_meanwhile.py",
    "tests/storage/test_backups.py",
    "tests/storage/test_database.py",
    "tests/storage/test_files.py",
    "tests/storage/test_job_queue.py",
    "tests/storage/test_numbers.py",
    "tests/storage/test_rows_of_accounts.py",
    "tests/web/test_account_pages.py",
    "tests/web/test_device_cookie.py",
    "tests/web/test_kept_pages.py",
)
# What a process of its own runs is noted under no test: these are run for it instead, the quickest first.
IN_CHILDREN: Final = {
    "child.py": ("tests/test_child.py",),
    "fork_server.py": ("tests/test_child.py",),
    "jobs/compute.py": ("tests/jobs/test_publish.py", "tests/api/test_processing.py"),
}
