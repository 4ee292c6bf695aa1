"""The REST API, one module a resource; what is not here is answered 404, never with success."""

from bot.sandbox.github.rest import actions, apps, checks, git, issues, pulls, repositories, reviews
from bot.sandbox.github.rest.call import Route

ROUTES: tuple[Route, ...] = (
    *apps.ROUTES,
    *repositories.ROUTES,
    *pulls.ROUTES,
    *reviews.ROUTES,
    *issues.ROUTES,
    *checks.ROUTES,
    *actions.ROUTES,
    *git.ROUTES,
)
