"""Somebody with one of everything that a page's address can name."""

from importlib import resources

from api.shop import PASSWORD, Api, Person

from rfm_backend.services import following


def own_everything(api: Api) -> tuple[Person, dict[str, int | str]]:
    """Return somebody, and the numbers of what he has, by their names in addresses."""
    owner = api.person()
    upload_id = owner.upload()
    # A login beside the one that looks: a page ends it.
    api.ask("POST", "/api/auth/login", json={"identifier": owner.name, "password": PASSWORD})
    logins = owner.ask("GET", "/api/user/logins").json["items"]
    token = owner.ask("POST", "/api/user/tokens", json={"name": "t"}).json
    toml = (resources.files("rfm_backend.pipeline") / "tables" / "ten.toml").read_text("utf-8")
    table = owner.ask("POST", "/api/segments/tables", json={"name": "t", "toml": toml}).json
    analysis_id = owner.process(upload_id)["analysis_id"]
    (job,) = following.lately(api.service, owner.user_id)
    return owner, {
        "upload_id": upload_id,
        "analysis_id": analysis_id,
        "other_id": analysis_id,
        "job_id": job.job.id,
        "segment": "champions",
        "customer_id": "c001",
        "table_id": table["table_id"],
        "shop_id": owner.ask("GET", "/api/shops").json["items"][0]["shop_id"],
        "login_id": next(one["login_id"] for one in logins if not one["is_this_one"]),
        "token_id": token["token_id"],
    }
