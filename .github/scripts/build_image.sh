#!/usr/bin/env bash
# Builds the image of $SOURCE on this runner, before anything is signed in to that may push or deploy: what the
# Dockerfile runs, runs here. Leaves `built=<image id>` in $GITHUB_OUTPUT, which push_image.sh pushes. Without a
# Dockerfile it packs the commit instead and leaves `archive=<file>`: the stages after it pack the same commit again,
# which gives the same files. `platform=<os>/<architecture>` is what the image runs on: the bot compares it with the
# service's task definition before anybody is asked.
#
# DOCKERFILE and BUILD_CONTEXT are paths in the commit; empty: Dockerfile, and the top.
#
# For private base images, optionally: AWS credentials of a role that may only read them (AWS_BASE_IMAGES_ROLE_ARN says
# that there are some), or BASE_IMAGES_REGISTRY with BASE_IMAGES_USER and BASE_IMAGES_PASSWORD. Both are within the
# Dockerfile's reach. VERSION and SHA become labels and build arguments (VERSION, COMMIT).
set -euo pipefail

fail() {
    echo "::error title=Build::$1"
    exit 1
}
dockerfile=${DOCKERFILE:-Dockerfile}
context=${BUILD_CONTEXT:-.}
for path in "$dockerfile" "$context"; do
    [[ $path != /* && /$path/ != */../* ]] || fail "$path leads out of the commit. DOCKERFILE and BUILD_CONTEXT are paths in it."
done
[[ -d $SOURCE/$context ]] || fail "The commit has no folder $context, which BUILD_CONTEXT names."
if [[ ! -f $SOURCE/$dockerfile ]]; then
    [[ -z ${DOCKERFILE:-} ]] || fail "The commit has no file $DOCKERFILE, which DOCKERFILE names."
    others=$(git -C "$SOURCE" ls-files -- 'Dockerfile*' '*/Dockerfile*' '*.Dockerfile' | head -n 5 | paste -sd ' ')
    [[ -z $others ]] || echo "::notice title=Build::Not built: $others. Set DOCKERFILE to the one that is meant."
    archive="${RUNNER_TEMP:?}/source-$SHA.tar.gz"
    python3 "$(dirname "${BASH_SOURCE[0]}")/commit_archive.py" "$SOURCE" HEAD "$archive"
    echo "archive=$archive" >>"$GITHUB_OUTPUT"
    echo "No Dockerfile: packed $archive"
    exit 0
fi

registries=()
if [[ -n ${AWS_BASE_IMAGES_ROLE_ARN:-} && -n ${AWS_REGION:-} ]]; then
    account=$(cut -d : -f 5 <<<"$AWS_BASE_IMAGES_ROLE_ARN")
    registry="$account.dkr.ecr.$AWS_REGION.amazonaws.com"
    [[ $AWS_REGION != cn-* ]] || registry+=".cn"
    aws ecr get-login-password | docker login --username AWS --password-stdin "$registry"
    registries+=("$registry")
fi
if [[ -n ${BASE_IMAGES_REGISTRY:-} && -n ${BASE_IMAGES_PASSWORD:-} ]]; then
    docker login "$BASE_IMAGES_REGISTRY" --username "${BASE_IMAGES_USER:?Set the secret BASE_IMAGES_USER}" \
        --password-stdin <<<"$BASE_IMAGES_PASSWORD"
    registries+=("$BASE_IMAGES_REGISTRY")
fi

# Docker's own programs need none of these, and what they build cannot ask them for it.
unset ACTIONS_ID_TOKEN_REQUEST_TOKEN ACTIONS_ID_TOKEN_REQUEST_URL BASE_IMAGES_PASSWORD GITHUB_TOKEN
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN

tag="chatops-build:$SHA"
# Without provenance the digest is the image's own, and not that of a list with the image in it.
docker buildx build --load --provenance=false \
    --label "org.opencontainers.image.version=$VERSION" --label "org.opencontainers.image.revision=$SHA" \
    --label "org.opencontainers.image.source=$GITHUB_SERVER_URL/$GITHUB_REPOSITORY" \
    --build-arg "VERSION=$VERSION" --build-arg "COMMIT=$SHA" --tag "$tag" \
    --file "$SOURCE/$dockerfile" "$SOURCE/$context"
for registry in ${registries[@]+"${registries[@]}"}; do docker logout "$registry"; done
built=$(docker image inspect --format '{{.Id}}' "$tag")
platform=$(docker image inspect --format '{{.Os}}/{{.Architecture}}' "$tag")
printf 'built=%s\nplatform=%s\n' "$built" "$platform" >>"$GITHUB_OUTPUT"
echo "Built $built for $platform"
