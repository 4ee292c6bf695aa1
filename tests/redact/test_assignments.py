"""Secrets that a name, a header, a flag, a URL or a sentence gives away: `«»` marks in each line what is taken out."""

from base64 import b64encode

import pytest

from bot.redact.assignments import find_assigned

LOGIN = b64encode(b"bob:" + b"hunter2").decode()
RANDOM = "Xk9" + "fQ2mZ7" + "tR4vB8nW1cY6" + "pL3sD5gH0j"


def marked(text: str) -> str:
    """The text with every span that was found in it marked."""
    data = text.encode()
    inside = [False] * (len(data) + 1)
    for span in find_assigned(data):
        inside[span.start : span.end] = [True] * (span.end - span.start)
    out, open_ = bytearray(), False
    for position, byte in enumerate([*data, None]):
        if inside[position] != open_:
            out += "«".encode() if not open_ else "»".encode()
            open_ = not open_
        if byte is not None:
            out.append(byte)
    return out.decode()


FOUND = [
    # what tools take
    "mysql -u root -p«hunter2» -h db shop",
    "mysqldump --opt -p'«hun ter2»' shop".replace(" ter2", "ter2"),
    "+ sshpass -p «hunter2» ssh root@db",
    "redis-cli -h cache -a «hunter2» ping",
    "redis-cli --pass «hunter2»",
    "url=jdbc:oracle:thin:scott/«tiger7»@//db:1521/XE",
    "SECRET_KEY_BASE=«" + "3f9a" * 9 + "»",
    "my_secret_value = «f00-b4r-b4z»",
    # logfmt, environment, properties
    "level=info password=«hunter2» user=bob",
    "export DB_PASSWORD='«hunter2»'",
    "PGPASSWORD=«hunter2» psql -h db",
    "spring.datasource.password=«s3cr;t»",
    "api_key = «a1b2c3d4e5»",
    "user=a,password=«b1»,host=c",
    "Server=db;Password=«b1»;Encrypt=yes",
    "key=«" + RANDOM + "»",
    # YAML
    "password: «hunter2»",
    "  - token: «abc123def»",
    '+    clientSecret: "«abc 123»"',
    "passphrase: «correct horse battery staple»",
    "password: «hunter2» # rotate",
    # JSON, also in a JSON string
    '{"password": "«ab\\"cd»", "x": 1}',
    '{"msg": "{\\"password\\": \\"«hunter2»\\", \\"x\\": 1}"}',
    "{'api-key': '«abc123»'}",
    '{"password":["«first»"]}',
    '"auth": "«' + LOGIN + '»"',
    # code
    'password = "«hunter2»"',
    'password: str = "«hunter2»"',
    ":password => '«hunter2»'",
    'config["secret_key"] = "«abc123»"',
    # XML, SQL, netrc
    "<password>«hunter2»</password>",
    "CREATE USER bob IDENTIFIED BY '«hunter2»'",
    "machine db login bob password «hunter2»",
    # headers
    "Authorization: Bearer «abc123def456» 200",
    "Authorization: Basic «" + LOGIN + "»",
    '-H "Authorization: token «abc123»" -X POST',
    "authorization: Digest «username=bob, response=abc»",
    "sent Bearer «abc123def456» to it",
    "Basic «" + LOGIN + "»",
    "X-Api-Key: «abc123»",
    "Cookie: «sid=abc; theme=dark»",
    # URLs
    "https://bob:«hunter2»@example.com/x",
    "postgres://app:«p@ss/word»@db:5432/shop",
    '{"url":"https:\\/\\/bob:«hunter2»@example.com"}',
    "redis://:«hunter2»@cache:6379",
    "app:«hunter2»@tcp(db:3306)/shop",
    "https://«" + "0123456789abcdef" * 2 + "»@o1.ingest.example.com/2",
    "/login?user=a&password=«p%40ss»&x=1",
    "/go?to=%2Flogin%3Fpassword%3D«hunter2»%26x%3D1",
    # command lines and sentences
    "curl -u bob:«hunter2» https://example.com",
    "the password is «hunter2», ok?",
    "login as bob, password: «swordfish» did not work",
    "using token «" + RANDOM + "» now",
]

LEFT = [
    "password expired for user bob",
    "password: expired",
    "invalid token: unexpected EOF",
    'secret "db-creds" not found',
    "secret: checkout-tls",
    "tokenExpirationSeconds: 3600",
    "max_tokens=4096 input_tokens: 512",
    "automountServiceAccountToken: false",
    "serviceAccountToken: {path: token, expirationSeconds: 3600}",
    "secretKeyRef: {name: db, key: password}",
    "password=$DB_PASSWORD token=${TOKEN} secret={{ .Values.secret }}",
    "password=******** token=<redacted>",
    'password = os.environ["DB"]',
    "token := req.Header.Get(name)",
    "self.password = password",
    'if token == "" {',
    "def login(user: str, password: str) -> Token:",
    "token: /var/run/secrets/kubernetes.io/serviceaccount/token",
    "--- PASS: TestLogin (0.00s)",
    "pass: 12 fail: 3",
    "test token::number::tests::all ... ok",
    "> Task :credentials:compileJava",
    "Cache restored from key: setup-go-Linux-x64-ubuntu24-go-1.25.9-043e2331d404a3efc5c9e2fb2a2c1c91",
    "key: app.kubernetes.io/name",
    "Basic authentication failed; bearer authentication is required",
    "http://checkout.shop.svc:8080/healthz?x=a@b.example",
    "docker-pullable://ghcr.io/shop/checkout@sha256:" + "0123456789abcdef" * 4,
    "the token is expired",
    "token=1234 page",
    "author=bob keyspace=orders bypass=true compass: north",
]


@pytest.mark.parametrize("text", FOUND)
def test_found(text: str) -> None:
    assert marked(text.replace("«", "").replace("»", "")) == text


@pytest.mark.parametrize("text", LEFT)
def test_left(text: str) -> None:
    assert marked(text) == text


def test_a_very_long_value_is_taken_out_whole() -> None:
    long = "ab1" * 5000
    assert marked(f'{{"token":"{long}"}} tail') == f'{{"token":"«{long}»"}} tail'
    assert marked(f"token={long} tail") == f"token=«{long}» tail"


def test_only_what_was_searched_before_may_be_passed_over_as_a_placeholder() -> None:
    line = b"password: \x01\x01\x01\x01\x01\x01\n"
    assert [(span.start, span.end) for span in find_assigned(line)] == [(10, 16)]
    assert list(find_assigned(line, again=True)) == []
    assert [span.end for span in find_assigned(b"password: \x01\x01\x01\x01hunter2\n", again=True)] == [21]
