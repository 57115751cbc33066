#!/usr/bin/env bash
# Pushes the image $BUILT, which build_image.sh has made; leaves `image=<repository>@sha256:...` in $GITHUB_OUTPUT. The
# digest, not a tag, is what is approved, deployed and returned to; the tags are for people.
#
# AWS_REGION set: Amazon ECR, repository $ECR_REPOSITORY (default: this one's name; with a registry in front of it that
# one, else the account's own). Otherwise GitHub's registry, with $GITHUB_TOKEN. image.py expects the same repository.
set -euo pipefail

if [[ -n ${AWS_REGION:-} ]]; then
    name="${GITHUB_REPOSITORY#*/}"
    name="${ECR_REPOSITORY:-${name,,}}"
    if [[ $name == *.dkr.ecr.*/* ]]; then
        registry="${name%%/*}"
        name="${name#*/}"
    else
        account=$(aws sts get-caller-identity --query Account --output text)
        registry="$account.dkr.ecr.$AWS_REGION.amazonaws.com"
        [[ $AWS_REGION != cn-* ]] || registry+=".cn"
    fi
    repository="$registry/$name"
    aws ecr get-login-password | docker login --username AWS --password-stdin "$registry"
else
    repository="ghcr.io/${GITHUB_REPOSITORY,,}"
    docker login ghcr.io --username "$GITHUB_ACTOR" --password-stdin <<<"$GITHUB_TOKEN"
fi

# A tag of its own for each run: registries may forbid that a tag is pushed twice (ECR's immutable tags).
tag="$repository:$SHA-$GITHUB_RUN_ID"
docker tag "$BUILT" "$tag"
docker push "$tag"
image=$(docker inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' "$tag" |
    grep -F "$repository@sha256:" | head -n 1 || true)
if [[ -z $image ]]; then
    echo "::error title=Push::The registry gave no digest for $tag."
    exit 1
fi

# What people look for. Nothing is deployed by these, so a registry that does not let them move is no failure.
readable=$(printf '%s' "$VERSION" | LC_ALL=C tr -c 'A-Za-z0-9_.-' '-' | cut -c 1-128)
for name in "$SHA" "$readable"; do
    [[ $name =~ ^[A-Za-z0-9_] ]] || continue
    if ! { docker tag "$BUILT" "$repository:$name" && docker push --quiet "$repository:$name"; }; then
        echo "::notice title=Push::The tag $name stays where it is; the image is $image."
    fi
done
echo "image=$image" >>"$GITHUB_OUTPUT"
echo "Pushed $image"
