#!/usr/bin/env bash
# Builds the image of $SOURCE and pushes it; leaves `image=<repository>@sha256:...` in $GITHUB_OUTPUT. The digest,
# not a tag, is what is approved, deployed and returned to. Without a Dockerfile it packs the commit instead and
# leaves `archive=<file>`.
#
# AWS_REGION set: Amazon ECR, repository $ECR_REPOSITORY (default: this one's name). Otherwise GitHub's registry, with $GITHUB_TOKEN.
set -euo pipefail

if [[ ! -f $SOURCE/Dockerfile ]]; then
    archive="${RUNNER_TEMP:?}/source-$SHA.tar.gz"
    git -C "$SOURCE" archive --format=tar.gz --output="$archive" HEAD
    echo "archive=$archive" >>"$GITHUB_OUTPUT"
    echo "No Dockerfile: packed $archive"
    exit 0
fi

if [[ -n ${AWS_REGION:-} ]]; then
    account=$(aws sts get-caller-identity --query Account --output text)
    registry="$account.dkr.ecr.$AWS_REGION.amazonaws.com"
    repository="$registry/${ECR_REPOSITORY:-${GITHUB_REPOSITORY#*/}}"
    aws ecr get-login-password | docker login --username AWS --password-stdin "$registry"
else
    repository="ghcr.io/${GITHUB_REPOSITORY,,}"
    docker login ghcr.io --username "$GITHUB_ACTOR" --password-stdin <<<"$GITHUB_TOKEN"
fi

docker build --label "org.opencontainers.image.revision=$SHA" --tag "$repository:$SHA" "$SOURCE"
docker push "$repository:$SHA"
image=$(docker inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' "$repository:$SHA" |
    grep -F "$repository@sha256:" | head -n 1)
if [[ -z $image ]]; then
    echo "::error title=Build::The registry gave no digest for $repository:$SHA."
    exit 1
fi
echo "image=$image" >>"$GITHUB_OUTPUT"
echo "Pushed $image"
