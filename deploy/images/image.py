#!/usr/bin/env python3
"""Images without a daemon: an image is a small description beside its layers, and an archive is written from it when one is wanted.

image.py describe IMAGE.json TAG CONFIG_JSON LAYER.tar...   writes the description
image.py digest IMAGE.json...                               prints TAG and manifest digest of each
image.py archive [--without FILE] IMAGE.json...             writes an OCI archive to standard output, layers that are shared only once,
                                                            and not at all those whose digests FILE lists: the receiver has them

CONFIG_JSON is the `config` part of an OCI image configuration. A layer's digest is kept beside it: LAYER.tar.sha256.
"""

import hashlib
import io
import json
import os
import sys
import tarfile
from pathlib import Path

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"


def sha256(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def layer_digest(layer: Path) -> str:
    """A layer's digest, computed when it is first asked for: layers are never changed under their name."""
    known = layer.with_name(layer.name + ".sha256")
    if known.exists():
        return known.read_text()
    with layer.open("rb") as file:
        digest = "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
    new = known.with_name(f"{known.name}.{os.getpid()}")
    new.write_text(digest)
    new.rename(known)
    return digest


def describe(out: Path, tag: str, config: str, *layers: str) -> None:
    paths = [Path(layer).resolve() for layer in layers]
    digests = [layer_digest(path) for path in paths]
    blob = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "created": "1970-01-01T00:00:00Z",
            "config": json.loads(config),
            "rootfs": {"type": "layers", "diff_ids": digests},
        },
        sort_keys=True,
    )
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": CONFIG, "digest": sha256(blob.encode()), "size": len(blob)},
            "layers": [
                {"mediaType": LAYER, "digest": digest, "size": path.stat().st_size}
                for path, digest in zip(paths, digests)
            ],
        }
    )
    image = {"tag": tag, "config": blob, "manifest": manifest, "layers": dict(zip(digests, map(str, paths)))}
    new = out.with_name(f"{out.name}.{os.getpid()}")
    new.write_text(json.dumps(image, indent=1))
    new.rename(out)


def archive(images: list[dict], written: set[str], out: io.BufferedIOBase) -> None:
    with tarfile.open(fileobj=out, mode="w|") as tar:

        def add(name: str, size: int, content: io.BufferedIOBase) -> None:
            info = tarfile.TarInfo(name)
            info.size = size
            tar.addfile(info, content)

        def add_bytes(name: str, data: bytes) -> None:
            add(name, len(data), io.BytesIO(data))

        def add_blob(data: bytes) -> None:
            add_bytes("blobs/sha256/" + hashlib.sha256(data).hexdigest(), data)

        add_bytes("oci-layout", b'{"imageLayoutVersion": "1.0.0"}')
        for image in images:
            for digest, path in image["layers"].items():
                if digest not in written:
                    written.add(digest)
                    with open(path, "rb") as layer:
                        add(f"blobs/sha256/{digest.removeprefix('sha256:')}", os.path.getsize(path), layer)
            add_blob(image["config"].encode())
            add_blob(image["manifest"].encode())
        manifests = [
            {
                "mediaType": MANIFEST,
                "digest": sha256(image["manifest"].encode()),
                "size": len(image["manifest"]),
                "annotations": {
                    "io.containerd.image.name": image["tag"],
                    "org.opencontainers.image.ref.name": image["tag"].rpartition(":")[2],
                },
                "platform": {"architecture": "amd64", "os": "linux"},
            }
            for image in images
        ]
        add_bytes("index.json", json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}).encode())


def read(paths: list[str]) -> list[dict]:
    """The images of these descriptions; one whose layers were swept since, for newer ones, has to be built again first."""
    images = [json.loads(Path(path).read_text()) for path in paths]
    for image, path in zip(images, paths):
        missing = [layer for layer in image["layers"].values() if not os.path.exists(layer)]
        if missing:
            sys.exit(f"{path} is out of date: build it again, for there is no {missing[0]}")
    return images


def main() -> None:
    match sys.argv[1:]:
        case ["describe", out, tag, config, *layers]:
            describe(Path(out), tag, config, *layers)
        case ["digest", *paths]:
            for image in read(paths):
                print(image["tag"], sha256(image["manifest"].encode()))
        case ["archive", "--without", known, *paths]:
            archive(read(paths), set(Path(known).read_text().split()), sys.stdout.buffer)
        case ["archive", *paths]:
            archive(read(paths), set(), sys.stdout.buffer)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
