"""A Slack stand-in on loopback: the unmodified bot runs against it with no account, and people use it in a browser.

It is strict or it is a lie: limits hold at n and n+1, unknown methods and arguments are refused, acknowledgements have
three seconds, triggers and response URLs wear out, calls are rate limited. Where each rule comes from:

| rule | where | source |
| --- | --- | --- |
| block and element shapes, lengths | `blocks` | docs "Blocks", "Block elements"; @slack/types |
| sum of a message's text | `blocks` | bolt-js issues 2509 and 2867 (Slack publishes no number) |
| views | `view_rules`, `modals` | docs "Reference: views", "Modals"; views.* references |
| input values | `inputs` | docs "View interaction payloads" |
| methods, scopes, tiers, arguments, errors | `webapi` | method reference, one page each |
| rate limits | `rate_limits` | docs "Rate limits" |
| trigger ids, response URLs | `tickets`, `response_url` | docs "Handling user interaction"; bolt-js issue 1261 |
| Socket Mode, acknowledgement, retries | `socket_mode` | docs "Using Socket Mode", "Events API"; issues |
| payloads | `acting` | docs "Interaction payloads", "Slash commands" |

Known to differ from Slack: unknown keys and arguments are refused where Slack ignores or warns; blocks, elements and
arguments that this sandbox does not play are refused by name; all state is in memory; layout is approximate.
"""

from bot.sandbox.slack.server import SlackSandbox, start
from bot.sandbox.slack.socket_mode import Timings
from bot.sandbox.slack.workspace import Workspace, shop

__all__ = ["SlackSandbox", "Timings", "Workspace", "shop", "start"]
