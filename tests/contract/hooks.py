"""What schemathesis can't know of this API: keys that are drawn for every command, waits that are kept short, and what every
answer has to look like beyond its schema."""

import base64
import datetime
import itertools
import json
import re

import schemathesis
from hypothesis import strategies as st

KEYS = itertools.count(1)
PROBLEM = "application/problem+json"
# They are not read from the log, or each of their parts has one.
WITHOUT_POSITION = ("/v1/dead-letters", "/v1/webhooks", "/v1/mails", "/v1/notices", "/v1/simulator/", "/v1/dashboard", "/v1/overview", "/health/", "/metrics")


@schemathesis.hook
def before_call(context, case, kwargs):
    """A request as a client would send it. What was made wrong on purpose stays wrong."""
    headers, query = case.headers, case.query
    # A key of an earlier request would only ever be answered with that it was used.
    key = headers.get("Idempotency-Key")
    if isinstance(key, str) and re.fullmatch(r"[!-~]{1,255}", key):
        headers["Idempotency-Key"] = f"contract-{next(KEYS)}"
    # A wait is for what is decided, or for a position; most of what is made up here never comes.
    if re.fullmatch(r"(?i)\s*wait\s*=\s*\"?\d+\"?\s*", str(headers.get("Prefer") or "")):
        headers["Prefer"] = "wait=0"
    position = query.get("min_position")
    if re.fullmatch(r"\d{2,19}", str(position or "")):
        query["min_position"] = "1"
    if is_right(case):
        keep_to_what_no_schema_says(case, query)


def keep_to_what_no_schema_says(case, query):
    """What is right by its schema, and wrong by the words beside it."""
    # Which cursors a list has given.
    if "cursor" in query and not is_cursor(query["cursor"]):
        del query["cursor"]
    # An order is shown as of a version that it has, or as of a time.
    if "as_of_version" in query:
        query["as_of_version"] = "1"
        query.pop("as_of", None)
    # Whoever is no customer says whose dashboard it is.
    if case.operation.path == "/v1/dashboard":
        query.setdefault("customer_id", "nobody")
    # So it is with notices.
    if case.operation.path == "/v1/notices":
        query.setdefault("customer_id", "nobody")
    if case.operation.path == "/v1/notices/read" and isinstance(case.body, dict) and not case.body.get("customer_id"):
        case.body = {**case.body, "customer_id": "nobody"}
    # Where a webhook may be: this one is refused, so that nothing is told to anybody.
    if case.operation.path == "/v1/webhooks" and isinstance(case.body, dict):
        case.body = {**case.body, "url": "http://127.0.0.1:9/", "events": ["order.*"]}
    # At least one way to reach a customer is given.
    if case.operation.path.endswith("/contact") and isinstance(case.body, dict):
        if not any(case.body.get(name) for name in ("name", "email", "phone")):
            case.body = {**case.body, "email": "ada@example.org"}


def is_right(case):
    meta = case.meta
    return meta is None or meta.generation.mode.is_positive


def is_cursor(text):
    try:
        content = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, TypeError):
        return False
    return isinstance(content, list) and len(content) == 2 and isinstance(content[0], str) and len(content[0]) == 12


@schemathesis.check
def problems_are_clear(ctx, response, case):
    """Every error is a problem with a stable code and the id of its request, and says when to come again if that helps."""
    if response.status_code < 400 or case.operation.path == "/health/ready":
        return
    assert header(response, "content-type") == PROBLEM, f"an error is {PROBLEM}"
    problem = response.json()
    assert problem["status"] == response.status_code, "the body says another status"
    assert re.fullmatch(r"[a-z_]+", problem["code"]), "the code is no code"
    assert problem["type"] == f"/docs/errors/{problem['code']}", "the type is not the page of the code"
    assert problem["request_id"] == header(response, "x-request-id"), "the header has another request id"
    assert problem["code"] != "internal", "something is wrong in the server"
    if response.status_code == 503:
        assert header(response, "retry-after").isdigit(), "a 503 says when to come again"
    assert len(response.content) < 64 * 1024, "the answer sends the request back"


@schemathesis.check
def answers_say_their_position(ctx, response, case):
    """Every answer of a command or a read model says from which position of the log it is."""
    if not 200 <= response.status_code < 300 or case.operation.path.startswith(WITHOUT_POSITION):
        return
    position = header(response, "docket-position")
    assert re.fullmatch(r"[^-]+-\d+-\d+", position), f"`{position}` is no position"


def header(response, name):
    return (response.headers.get(name) or [""])[0]


def rfc3339(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


schemathesis.openapi.format("iso-4217", st.sampled_from(["GBP", "EUR", "JPY", "USD", "XXX"]))
# The description says in words in which years a time lies.
schemathesis.openapi.format("date-time", st.integers(0, 1_700_000_000).map(rfc3339))
