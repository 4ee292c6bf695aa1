"""Small diffs that tests review."""

from bot.condense.diff.parse import parse
from bot.condense.diff.patch import Patch
from bot.domain.review import PullRequest

HEAD = "b" * 40

DEPLOYMENT = """\
diff --git a/deploy/shop.yaml b/deploy/shop.yaml
--- a/deploy/shop.yaml
+++ b/deploy/shop.yaml
@@ -10,9 +10,7 @@ spec:
   template:
     spec:
       containers:
-      - name: shop
-        readinessProbe:
-          httpGet: {path: /ready, port: 8080}
+      - name: store
         image: shop:1
         env:
         - name: MODE
@@ -40,3 +38,5 @@ spec:
         - name: LOG
           value: "1"
+        securityContext:
+          privileged: true
         - name: END
"""
NOTES = """\
diff --git a/docs/notes.md b/docs/notes.md
--- a/docs/notes.md
+++ b/docs/notes.md
@@ -1,2 +1,4 @@
 Notes
+same
+same
 end
"""


def patch(text: str = DEPLOYMENT) -> Patch:
    return parse(text)


def pull_request(**more) -> PullRequest:
    given = {
        "repository": "acme/shop",
        "number": 12,
        "title": "Tidy up",
        "body": "Only cosmetics.",
        "author": "mallory",
        "url": "https://github.com/acme/shop/pull/12",
        "base_branch": "main",
        "base_sha": "a" * 40,
        "head_branch": "tidy",
        "head_sha": HEAD,
        "changed_files": 0,
    }
    return PullRequest(**(given | more))


def same(text: str) -> str:
    """Redact nothing."""
    return text
