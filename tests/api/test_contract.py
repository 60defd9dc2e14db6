"""The contract, call by call, as its users wrote it down: register to results on Online_Retail.xlsx."""

import io
from pathlib import Path
from typing import Any

import pytest
from api.shop import Api

import rfm_backend


@pytest.mark.slow
def test_the_documented_calls_give_the_documented_answers(
    api: Api, data_dir: Path, tmp_path: Path
) -> None:
    client: Any = api.app.test_client()
    workbook = data_dir / "online_retail" / "Online_Retail.xlsx"

    made = client.post(
        "/api/auth/register",
        json={"username": "admin", "email": "admin@test.com", "password": "admin123"},
    )
    assert made.status_code == 201
    assert made.json["message"] == "registered"
    assert isinstance(made.json["user_id"], int)

    for identifier in ("admin", "admin@test.com"):
        login = client.post(
            "/api/auth/login", json={"identifier": identifier, "password": "admin123"}
        )
        assert login.status_code == 200
        assert login.json["message"]
    headers = {"Authorization": f"Bearer {login.json['token']}"}

    sent = client.post(
        "/api/upload",
        headers=headers,
        data={"file": (io.BytesIO(workbook.read_bytes()), workbook.name)},
    )
    sent.request.environ["wsgi.input"].close()
    assert sent.status_code == 201
    assert sent.json["message"] == "file uploaded"
    assert sent.json["filename"] == "Online_Retail.xlsx"
    file_id = sent.json["upload_id"]

    early = client.get(f"/api/rfm/results/{file_id}", headers=headers)
    assert (early.status_code, early.json["code"]) == (409, "not_processed")

    done = client.post(f"/api/rfm/process/{file_id}", headers=headers)
    assert done.status_code == 200
    assert done.json["message"] == "RFM processing complete"
    assert (done.json["total_customers"], done.json["clusters"]) == (4338, 5)

    rows = client.get(f"/api/rfm/results/{file_id}", headers=headers).json
    assert len(rows) == 4338
    first = next(row for row in rows if row["customer_id"] == "12346")
    assert (first["recency"], first["frequency"], first["monetary"]) == (326, 1, 77183.6)
    assert {type(row["cluster"]) for row in rows} == {int}
    assert sorted({row["cluster"] for row in rows}) == [0, 1, 2, 3, 4]

    # The other doors give the same bytes.
    exported = client.get(f"/api/rfm/export/{file_id}?format=csv", headers=headers).data
    with rfm_backend.segment(workbook) as result:
        result.to_csv(tmp_path / "library.csv")
    assert exported == (tmp_path / "library.csv").read_bytes()

    profile = client.get("/api/user/profile", headers=headers)
    assert (profile.json["username"], profile.json["email"]) == ("admin", "admin@test.com")
    changed = client.put(
        "/api/user/profile",
        headers=headers,
        json={"username": "newusername", "email": "newemail@gmail.com"},
    )
    assert changed.status_code == 200
    again = client.put(
        "/api/user/profile/password",
        headers=headers,
        json={"old_password": "admin123", "new_password": "newpass123"},
    )
    assert again.status_code == 200
    assert client.get("/api/user/profile", headers=headers).status_code == 401
    headers = {"Authorization": f"Bearer {again.json['token']}"}
    assert client.delete("/api/user/profile", headers=headers).status_code == 200
    gone = client.post(
        "/api/auth/login", json={"identifier": "newusername", "password": "newpass123"}
    )
    assert gone.status_code == 401
    folder = api.service.settings.upload_dir / str(made.json["user_id"])
    assert not folder.exists()
