"""Writes an image of one layer as "docker save" does: image.py TREE REFERENCE ARCHIVE. Its entry point is the tree's busybox."""
import hashlib
import io
import json
import platform
import sys
import tarfile


def main():
    tree, reference, archive = sys.argv[1:]
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode='w') as tar:
        tar.add(tree, arcname='.')
    digest = hashlib.sha256(layer.getvalue()).hexdigest()
    architecture = {'x86_64': 'amd64', 'aarch64': 'arm64'}.get(platform.machine(), 'arm')
    configuration = json.dumps({'architecture': architecture, 'os': 'linux', 'config': {'Entrypoint': ['/bin/busybox']},
                                'rootfs': {'type': 'layers', 'diff_ids': [f'sha256:{digest}']}}).encode()
    name = hashlib.sha256(configuration).hexdigest() + '.json'
    manifest = json.dumps([{'Config': name, 'RepoTags': [reference], 'Layers': ['layer.tar']}]).encode()
    with tarfile.open(archive, mode='w') as tar:
        for path, content in ((name, configuration), ('layer.tar', layer.getvalue()), ('manifest.json', manifest)):
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))


if __name__ == '__main__':
    main()
