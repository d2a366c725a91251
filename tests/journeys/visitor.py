"""A person with a browser's manners, over real HTTP: signs in with cookies, then calls the API."""

from __future__ import annotations

import re
import uuid
from typing import Any

import httpx


class Refusal(AssertionError):
    """The exchange answered with an error; `code` is its stable code."""

    def __init__(self, answer: httpx.Response) -> None:
        self.status = answer.status_code
        try:
            self.code = answer.json().get("code", "")
        except ValueError:
            self.code = ""
        super().__init__(
            f"{answer.request.method} {answer.request.url} answered {answer.status_code}: {answer.text[:600]}"
        )


class Visitor:
    """Nobody in particular until `sign_in`. Methods answer the parsed JSON and raise Refusal on any error."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url.rstrip("/")
        self.http = httpx.Client(base_url=self.base_url, timeout=60, follow_redirects=True, trust_env=False)

    def sign_in(self, email: str, password: str) -> Visitor:
        page = self.http.get("/accounts/login/")
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert token, page.text[:500]
        answer = self.http.post(
            "/accounts/login/",
            data={"csrfmiddlewaretoken": token[1], "login": email, "password": password},
            headers={"Referer": f"{self.base_url}/accounts/login/"},
            follow_redirects=False,
        )
        assert answer.status_code == 302, f"{email} could not sign in: {answer.text}"
        return self

    def close(self) -> None:
        self.http.close()

    def get(self, path: str, **query: Any) -> Any:
        return self._answer(self.http.get(f"/api/v1/{path}", params=query))

    def post(self, path: str, body: dict[str, Any] | None = None, *, key: str = "") -> Any:
        return self._answer(self.http.post(f"/api/v1/{path}", json=body or {}, headers=self._headers(key)))

    def patch(self, path: str, body: dict[str, Any]) -> Any:
        return self._answer(self.http.patch(f"/api/v1/{path}", json=body, headers=self._headers()))

    def put(self, path: str, content: bytes) -> Any:
        headers = {**self._headers(), "Content-Type": "application/octet-stream"}
        return self._answer(self.http.put(f"/api/v1/{path}", content=content, headers=headers))

    def _headers(self, key: str = "") -> dict[str, str]:
        return {
            "X-CSRFToken": self.http.cookies.get("csrftoken", ""),
            "Referer": f"{self.base_url}/",
            "Idempotency-Key": key or str(uuid.uuid4()),
        }

    @staticmethod
    def _answer(answer: httpx.Response) -> Any:
        if answer.status_code >= 400:
            raise Refusal(answer)
        return answer.json() if answer.content else None
