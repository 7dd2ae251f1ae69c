# The invoker in an image that takes the place of OpenWhisk's: the same entry point, environment, options and mounts.
#
#   npm run build
#   npm run image [-- --build-arg BASE=IMAGE --tag NAME]      rewhisk/invoker:VERSION, from build/image alone
#
# BASE: a system with glibc, as new as the one that `npm run build` ran on, with Node 20.19 or newer as `node`. Its interpreters are those
# of actions whose kind has no image on the host. What else is needed is installed where it is missing.
ARG BASE=node:22-bookworm-slim
FROM ${BASE}

RUN set -e; \
  for program in python3 ip nft nsenter flock; do command -v $program >/dev/null || lacking=$program; done; \
  [ -z "$lacking" ] || { \
    apt-get update; \
    apt-get install -y --no-install-recommends python3 iproute2 nftables util-linux; \
    rm -rf /var/lib/apt/lists/*; \
  }

ADD rewhisk.tgz /

# OpenWhisk's role mounts Docker's containers there, and Docker names the files of their output by its own path.
RUN set -e; \
  if ldd /rewhisk/build/native/* 2>&1 | grep 'not found'; then echo 'BASE is older than the system that rewhisk was built on' >&2; exit 1; fi; \
  printf '#!/bin/sh\nexec node /rewhisk/invoker/start.mjs "$@"\n' >/init.sh; \
  chmod 755 /init.sh; \
  mkdir -p /var/lib/docker /containers; \
  ln -s /containers /var/lib/docker/containers

EXPOSE 8080
CMD ["/init.sh"]
