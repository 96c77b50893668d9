# The base of the variant of config-sync that reads from git repositories: Node, with git and ssh beside it.
FROM docker.io/library/node:26-trixie-slim
RUN apt-get update \
  && apt-get install -y --no-install-recommends ca-certificates git openssh-client \
  && rm -rf /var/lib/apt/lists/*
