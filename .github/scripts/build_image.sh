#!/usr/bin/env bash
# Builds the image of $SOURCE and pushes it; leaves `image=<repository>@sha256:...` in $GITHUB_OUTPUT. The digest,
# not a tag, is what is approved, deployed and returned to. Without a Dockerfile it packs the commit instead and
# leaves `archive=<file>`: the stages after it pack the same commit again, which gives the same files.
#
# AWS_REGION set: Amazon ECR, repository $ECR_REPOSITORY (default: this one's name). Otherwise GitHub's registry, with
# $GITHUB_TOKEN. VERSION and SHA become labels and build arguments (VERSION, COMMIT); the tags are for people.
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
    [[ $AWS_REGION != cn-* ]] || registry+=".cn"
    repository="$registry/${ECR_REPOSITORY:-${GITHUB_REPOSITORY#*/}}"
    aws ecr get-login-password | docker login --username AWS --password-stdin "$registry"
else
    repository="ghcr.io/${GITHUB_REPOSITORY,,}"
    docker login ghcr.io --username "$GITHUB_ACTOR" --password-stdin <<<"$GITHUB_TOKEN"
fi

# A tag of its own for each run: registries may forbid that a tag is pushed twice (ECR's immutable tags).
tag="$repository:$SHA-$RUN_ID"
# Without provenance the digest is the image's own, and not that of a list with the image in it.
docker buildx build --load --provenance=false \
    --label "org.opencontainers.image.version=$VERSION" --label "org.opencontainers.image.revision=$SHA" \
    --label "org.opencontainers.image.source=$GITHUB_SERVER_URL/$GITHUB_REPOSITORY" \
    --build-arg "VERSION=$VERSION" --build-arg "COMMIT=$SHA" --tag "$tag" "$SOURCE"
docker push "$tag"
image=$(docker inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' "$tag" |
    grep -F "$repository@sha256:" | head -n 1 || true)
if [[ -z $image ]]; then
    echo "::error title=Build::The registry gave no digest for $tag."
    exit 1
fi

# What people look for. Nothing is deployed by these, so a registry that does not let them move is no failure.
readable=$(printf '%s' "$VERSION" | LC_ALL=C tr -c 'A-Za-z0-9_.-' '-' | cut -c 1-128)
for name in "$SHA" "$readable"; do
    [[ $name =~ ^[A-Za-z0-9_] ]] || continue
    if ! { docker tag "$tag" "$repository:$name" && docker push --quiet "$repository:$name"; }; then
        echo "::notice title=Build::The tag $name stays where it is; the image is $image."
    fi
done
echo "image=$image" >>"$GITHUB_OUTPUT"
echo "Pushed $image"
