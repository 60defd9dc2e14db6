"""What a user can do, one module each: accounts, uploads, analyses, results, what he keeps by name.

In:  a `Service` (settings, database, files, keys) and the user who asks.
Out: values of the storage's rows; or an error of errors.py.

What always holds
    * each use case is one transaction, opened here; queries never commit;
    * every query on a user's data names him: what is another's is not there.

What these modules do not do: they know no HTTP.
"""

from rfm_backend.services.service import Service, open_service

__all__ = ["Service", "open_service"]
