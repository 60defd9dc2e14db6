"""A job taken and computed without a worker, for tests of what comes after."""

from api.shop import Api, Person
from jobs.test_workers import start

from rfm_backend.jobs.compute import compute
from rfm_backend.jobs.leases import LEASE
from rfm_backend.jobs.publish import Computed
from rfm_backend.services.uploads import get, path_of
from rfm_backend.storage import jobs
from rfm_backend.storage.jobs import Job


def take(api: Api, person: Person) -> tuple[int, Job]:
    """Upload, ask for an analysis and take its job; return the upload's number and the job."""
    upload_id = person.upload()
    start(person, upload_id)
    job = api.service.database.write(lambda tx: jobs.claim(tx, worker="w", lease=LEASE))
    assert job is not None
    return upload_id, job


def compute_job(api: Api, person: Person, job: Job) -> Computed:
    """Compute a job, as its child does, into a folder of its own."""
    token, folder = api.service.files.new_folder(person.user_id)
    head = compute(
        source=str(path_of(api.service, get(api.service, person.user_id, job.upload_id))),
        name="sales.csv",
        request=job.options,
        folder=str(folder),
        resources={"threads": 1},
    )
    return Computed(head=head, token=token, folder=folder)
