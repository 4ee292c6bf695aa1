"""Reviews: all of one is made, or nothing.

Sources: docs.github.com/rest/pulls/reviews#create-a-review-for-a-pull-request (event, body, comments; one is PENDING
without an event), and the refusals that people report: github.com/danobi/prr/issues/11 and
villesau/ai-codereviewer/issues/34 (a line or path that is not part of the diff), microsoft/vscode-pull-request-github
/issues/1317 and max-sixty/tend/pull/1171 (one pending review a person and pull request, which also stands in the way
of a submitted one).
"""

from __future__ import annotations

from typing import Any

from bot.sandbox.github.differing import Side, anchors
from bot.sandbox.github.hub import MAX_BODY, Json, Pull, Review
from bot.sandbox.github.refusal import Refusal, invalid, unprocessable
from bot.sandbox.github.rest.call import Answer, Call, Route

STATES = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}
_BLANK_HUNK = "Pull request review thread diff hunk can't be blank"


def reviews(call: Call) -> Answer:
    """The reviews, oldest first; a pending one is seen by who writes it alone."""
    pull = call.hub.pull(call.repository, call.match["number"])
    listed = [
        call.hub.review_json(call.repository, pull, review)
        for review in pull.reviews
        if review.state != "PENDING" or review.user == call.caller.login
    ]
    return call.page(listed)


def create(call: Call) -> Answer:
    """Make a review of a commit, with comments on its lines."""
    hub, pull = call.hub, call.hub.pull(call.repository, call.match["number"])
    event = call.body.get("event")
    if event is not None and event not in STATES:
        raise invalid("PullRequestReview", "event", "event is not included in the list", "invalid")
    body = call.text("body", "PullRequestReview", required=event in ("COMMENT", "REQUEST_CHANGES"))
    if event in ("APPROVE", "REQUEST_CHANGES") and call.caller.login == pull.user:
        raise unprocessable(f"Can not {event.lower().replace('_', ' ')} your own pull request")
    if any(review.state == "PENDING" and review.user == call.caller.login for review in pull.reviews):
        raise unprocessable("User can only have one pending review per pull request")
    commit_id = call.body.get("commit_id") or pull.head_sha
    if commit_id not in {commit.sha for commit in hub.commits_of(pull)}:
        raise unprocessable("Pull request review commit is not part of the pull request")
    given = call.body.get("comments") or []
    if not isinstance(given, list):
        raise Refusal(422, "Invalid request.\n\nFor 'properties/comments', it is not an array.")
    comments = [_comment(call, pull, comment) for comment in given]
    state = STATES[event] if event else "PENDING"
    review = Review(hub.id(), call.caller.login, body, state, commit_id, hub.now() if event else None)
    for comment in comments:
        number = hub.id()
        review.comments.append(
            {
                "id": number,
                "pull_request_review_id": review.id,
                "user": hub.user_json(call.caller.login),
                "commit_id": commit_id,
                "original_commit_id": commit_id,
                "created_at": hub.now(),
                "html_url": f"{hub.url}/{call.repository.full_name}/pull/{pull.number}#discussion_r{number}",
                **comment,
            }
        )
    pull.reviews.append(review)
    return Answer(200, hub.review_json(call.repository, pull, review))


def _comment(call: Call, pull: Pull, given: Any) -> Json:
    if not isinstance(given, dict) or not isinstance(given.get("path"), str):
        raise Refusal(422, 'Invalid request.\n\nNo subschema in "oneOf" matched.')
    body = given.get("body")
    if not isinstance(body, str) or not body:
        raise unprocessable("Pull request review comment body can't be blank")
    if len(body) > MAX_BODY:
        raise unprocessable(f"Pull request review comment body is too long (maximum is {MAX_BODY} characters)")
    file = next((one for one in call.hub.files(pull) if one.path == given["path"]), None)
    if file is None:
        raise unprocessable(f"Pull request review thread path is invalid and {_BLANK_HUNK}")
    side: Side = given.get("side", "RIGHT")
    start_side: Side = given.get("start_side", side)
    if side not in ("LEFT", "RIGHT") or start_side not in ("LEFT", "RIGHT"):
        raise unprocessable("Pull request review thread side is invalid")
    found = anchors(file.patch or "")
    line, start = given.get("line"), given.get("start_line")
    if not isinstance(line, int) or (side, line) not in found:
        raise unprocessable(f"Pull request review thread line must be part of the diff and {_BLANK_HUNK}")
    if start is not None:
        if not isinstance(start, int) or (start_side, start) not in found:
            raise unprocessable("Pull request review thread start line must be part of the diff")
        if found[start_side, start] != found[side, line]:
            raise unprocessable("Pull request review thread start line must be part of the same hunk as the line.")
        if start >= line and start_side == side:
            raise unprocessable("Pull request review thread start line must precede the end line.")
    kept = {"path": file.path, "body": body, "line": line, "side": side}
    return kept | ({"start_line": start, "start_side": start_side} if start is not None else {})


def comments(call: Call) -> Answer:
    """All comments on lines, oldest first."""
    pull = call.hub.pull(call.repository, call.match["number"])
    submitted = [review for review in pull.reviews if review.state != "PENDING"]
    return call.page([comment for review in submitted for comment in review.comments])


ROUTES = (
    Route("GET", "/repos/{owner}/{repo}/pulls/{number}/reviews", "pull_requests", "read", reviews),
    Route("POST", "/repos/{owner}/{repo}/pulls/{number}/reviews", "pull_requests", "write", create, content=True),
    Route("GET", "/repos/{owner}/{repo}/pulls/{number}/comments", "pull_requests", "read", comments),
)
