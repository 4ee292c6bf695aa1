from bot.analysis.review.anchors import Anchors
from bot.condense.diff.patch import FilePatch, Hunk, Patch
from tests.analysis.review.diffs import DEPLOYMENT, NOTES, patch, same

PATH = "deploy/shop.yaml"


def found(side, *quote, text=DEPLOYMENT, path=PATH):
    file = Anchors(patch(text), same).file(path)
    return [(span.start, span.end) for span in file.find(side, quote)]


def test_a_quote_is_found_where_it_stands_and_blanks_at_its_ends_do_not_count():
    assert found("LEFT", "        readinessProbe:") == found("LEFT", "readinessProbe:") == [(14, 14)]
    assert found("RIGHT", "privileged: true") == [(41, 41)]
    assert found("LEFT", "readinessProbe:", "httpGet: {path: /ready, port: 8080}") == [(14, 15)]


def test_a_span_may_hold_context_but_not_only_context():
    assert found("RIGHT", "- name: store", "image: shop:1") == [(13, 14)]
    assert found("RIGHT", "image: shop:1") == []


def test_sides_do_not_mix_and_hunks_do_not_join():
    assert found("RIGHT", "readinessProbe:") == []
    assert found("RIGHT", "- name: MODE", "- name: LOG") == []


def test_equal_lines_are_told_apart_by_number_and_by_occurrence():
    file = Anchors(patch(NOTES), same).file("docs/notes.md")
    one, two = (span.places[0] for span in file.find("RIGHT", ["same"]))
    assert (one.number, two.number) == (2, 3)
    assert file.fingerprint("RIGHT", one) != file.fingerprint("RIGHT", two)


def test_a_fingerprint_survives_moved_lines_and_a_rename_on_the_way():
    moved = DEPLOYMENT.replace("@@ -10,9 +10,7 @@", "@@ -110,9 +210,7 @@")
    renamed = DEPLOYMENT.replace(
        "--- a/deploy/shop.yaml\n+++ b/deploy/shop.yaml",
        "similarity index 90%\nrename from deploy/shop.yaml\nrename to deploy/store.yaml\n"
        "--- a/deploy/shop.yaml\n+++ b/deploy/store.yaml",
    ).replace("b/deploy/shop.yaml\nsim", "b/deploy/store.yaml\nsim")
    names = []
    for text, path in ((DEPLOYMENT, PATH), (moved, PATH), (renamed, "deploy/store.yaml")):
        file = Anchors(patch(text), same).file(path)
        (span,) = file.find("LEFT", ["readinessProbe:"])
        names.append(file.fingerprint("LEFT", span.places[0]))
    assert len(set(names)) == 1


def test_what_is_shown_is_redacted_and_says_so():
    file = Anchors(patch(), lambda text: text.replace("privileged", "[x:1a2b]")).file(PATH)
    place = file.at("RIGHT", 41).places[0]
    assert (place.text, place.whole) == ("          [x:1a2b]: true", False)
    assert list(file.find("RIGHT", ["privileged: true"])) == []


def test_a_file_is_known_by_every_spelling_that_was_shown():
    hunk = Hunk("@@ -1 +1 @@", 1, 1, "", ("-a", "+b"))
    anchors = Anchors(Patch((FilePatch("new/a\u202e.py", "renamed", (hunk,), "old/a.py"),)), same)
    for path in ("new/a\u202e.py", "old/a.py", "new/a<U+202E>.py", "{old/a.py => new/a<U+202E>.py}"):
        assert anchors.file(path), path
    assert anchors.file("a.py") is None
