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
LINKED = """\
diff --git a/deploy/np.yaml b/deploy/np.yaml
deleted file mode 100644
--- a/deploy/np.yaml
+++ /dev/null
@@ -1,3 +0,0 @@
-kind: NetworkPolicy
-metadata:
-  name: deny
diff --git a/deploy/np.yaml b/deploy/np.yaml
new file mode 120000
--- /dev/null
+++ b/deploy/np.yaml
@@ -0,0 +1 @@
+../elsewhere/np.yaml
\\ No newline at end of file
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
