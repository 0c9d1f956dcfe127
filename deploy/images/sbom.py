#!/usr/bin/env python3
"""What an image is made of, as a CycloneDX document: Debian's packages, Python's, jars, and the crates of our program.

sbom.py NAME VERSION METADATA PACKAGE LAYER.tar...   prints the document

METADATA is what `cargo metadata` prints and PACKAGE is our crate in the image; both are empty where none of our programs is. The same
layers give the same document: it has no time, and its number is made of what is in it.
"""

import email
import json
import re
import sys
import tarfile
import uuid
from urllib.parse import quote

JAR = re.compile(r"(?P<name>.+?)-(?P<version>\d[\w.+-]*)\.jar")


def component(kind, name, version, licence=None, **more):
    """A component by its package URL, of which there is one in a document."""
    found = {"type": "library", "name": name, "purl": f"pkg:{kind}/{quote(name)}"}
    if version:
        found |= {"version": version, "purl": f"{found['purl']}@{quote(version)}"}
    if licence:
        found["licenses"] = [{"license": {"name": licence}}]
    return found | more


def debian(text):
    """The packages of dpkg's list of what is installed."""
    for paragraph in text.split("\n\n"):
        fields = email.message_from_string(paragraph)
        if "installed" in fields.get("Status", "").split():
            yield component("deb/debian", fields["Package"], fields["Version"])


def python(text):
    fields = email.message_from_string(text.split("\n\n", 1)[0])
    licence = fields.get("License-Expression") or fields.get("License") or ""
    classifiers = [line.rsplit("::", 1)[1].strip() for line in fields.get_all("Classifier", []) if line.startswith("License ::")]
    # A whole licence may stand where its name should.
    short = licence if licence and "\n" not in licence and len(licence) < 100 else " AND ".join(classifiers)
    yield component("pypi", fields["Name"].lower().replace("_", "-"), fields["Version"], short)


def jar(path):
    file = path.rsplit("/", 1)[1]
    match = JAR.fullmatch(file)
    name, version = (match["name"], match["version"]) if match else (file.removesuffix(".jar"), None)
    yield component("generic", name, version, properties=[{"name": "path", "value": path}])


def of_layer(path):
    """The packages that a layer brings; the last layer that lists Debian's has them all."""
    with tarfile.open(path) as layer:
        for member in layer:
            name = member.name.removeprefix(".")
            if not member.isfile():
                continue
            if name == "/var/lib/dpkg/status":
                yield from debian(layer.extractfile(member).read().decode())
            elif re.search(r"\.dist-info/METADATA$", name):
                yield from python(layer.extractfile(member).read().decode())
            elif name.endswith(".jar"):
                yield from jar(name)


def crates(metadata, root):
    """What a program of ours is linked from: no tools that only built or tested it."""
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    waiting = [next(id for id, package in packages.items() if package["name"] == root)]
    seen = set()
    while waiting:
        id = waiting.pop()
        if id in seen:
            continue
        seen.add(id)
        for dependency in nodes[id]["deps"]:
            if any(kind["kind"] is None for kind in dependency["dep_kinds"]):
                waiting.append(dependency["pkg"])
    for id in seen:
        package = packages[id]
        macro = any("proc-macro" in target["kind"] for target in package["targets"])
        if not macro:
            yield component("cargo", package["name"], package["version"], package["license"])


def main(name, version, metadata, package, *layers):
    found = {}
    for one in (one for layer in layers for one in of_layer(layer)):
        found[one["purl"]] = one
    if package:
        with open(metadata) as file:
            found |= {one["purl"]: one for one in crates(json.load(file), package)}
    components = [found[purl] for purl in sorted(found)]
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": uuid.uuid5(uuid.NAMESPACE_URL, json.dumps([name, version, components])).urn,
        "version": 1,
        "metadata": {"component": {"type": "container", "name": name, "version": version}},
        "components": components,
    }
    json.dump(document, sys.stdout, indent=1, ensure_ascii=False)
    print()


if __name__ == "__main__":
    main(*sys.argv[1:])
