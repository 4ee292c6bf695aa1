# Signoff's image: the locked dependencies and the wheel, run by a user that owns nothing but its data.

FROM python:3.11-slim-trixie AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
COPY requirements.lock requirements-build.lock ./
# Wheels alone, so that no code of a dependency runs while the image is built.
RUN python -m venv --without-pip /opt/signoff \
 && pip --python /opt/signoff install --require-hashes --only-binary :all: -r requirements.lock \
 && pip install --require-hashes --only-binary :all: -r requirements-build.lock
COPY pyproject.toml README.md LICENSE ./
COPY bot bot
COPY prompts prompts
COPY runbooks runbooks
RUN pip wheel --no-deps --no-build-isolation --wheel-dir /dist . \
 && pip --python /opt/signoff install --no-deps --no-index /dist/signoff-*.whl

FROM python:3.11-slim-trixie
RUN pip uninstall --yes --quiet --root-user-action=ignore pip setuptools wheel \
 && install -d -o 10001 -g 10001 /var/lib/signoff
COPY --from=build /opt/signoff /opt/signoff
# Loopback and the working folder mean nothing in a container, and slack-bolt wants a home, which a mere number has not.
ENV PATH=/opt/signoff/bin:$PATH \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SIGNOFF_LISTEN=0.0.0.0:8080 \
    SIGNOFF_DATABASE_URL=sqlite:////var/lib/signoff/signoff.db
# A number, so that Kubernetes can tell that it is not root.
USER 10001:10001
WORKDIR /var/lib/signoff
EXPOSE 8080
ENTRYPOINT ["signoff"]
CMD ["serve"]
