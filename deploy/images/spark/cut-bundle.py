"""cut-bundle.py BUNDLE.jar OUT.jar: AWS's SDK in one jar, without the clients of the hundreds of services that s3a never calls.

The whole bundle is 650 MiB, more than everything else in the image. What stays is what it takes to read and write S3 with any
of AWS's ways to sign in; shared parts stay whole, so the classes are the very ones hadoop-aws is tested with.
"""

import sys
import zipfile

SERVICES = "software/amazon/awssdk/services/"
KEPT = tuple(SERVICES + name + "/" for name in ("s3", "sso", "ssooidc", "sts"))

bundle, out = sys.argv[1:]
with zipfile.ZipFile(bundle) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
    for entry in source.infolist():
        if not entry.filename.startswith(SERVICES) or entry.filename.startswith(KEPT):
            target.writestr(entry, source.read(entry))
