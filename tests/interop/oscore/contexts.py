# SPDX-License-Identifier: Apache-2.0
"""One OSCORE security context [RFC8613 3], written down as each peer wants it."""
import dataclasses
import json
import os


@dataclasses.dataclass(frozen=True)
class Context:
    """As its sender sees it."""
    sender: bytes
    recipient: bytes
    secret: bytes = bytes(range(1, 17))
    salt: bytes = bytes.fromhex("9e7ca92223786340")
    id_context: bytes | None = None

    def other_side(self):
        return dataclasses.replace(self, sender=self.recipient, recipient=self.sender)

    def write_conf(self, path, **more):
        """coap-oscore-conf(5), which libcoap and larch read. more: further keywords, such as replay_window=63."""
        lines = [f'master_secret,hex,"{self.secret.hex()}"', f'master_salt,hex,"{self.salt.hex()}"',
                 f'sender_id,hex,"{self.sender.hex()}"', f'recipient_id,hex,"{self.recipient.hex()}"']
        if self.id_context is not None:
            lines.append(f'id_context,hex,"{self.id_context.hex()}"')
        for keyword, value in more.items():
            lines.append(f"{keyword},bool,{str(value).lower()}" if isinstance(value, bool) else
                         f"{keyword},integer,{value}")
        with open(path, "w", encoding="ascii", opener=private) as file:
            file.write("\n".join(lines) + "\n")
        return path

    def write_folder(self, path):
        """aiocoap's FilesystemSecurityContext, which keeps its numbers in sequence.json beside the keys."""
        os.makedirs(path)
        settings = {"sender-id_hex": self.sender.hex(), "recipient-id_hex": self.recipient.hex(),
                    "secret_hex": self.secret.hex(), "salt_hex": self.salt.hex()}
        if self.id_context is not None:
            settings["id-context_hex"] = self.id_context.hex()
        with open(os.path.join(path, "settings.json"), "w", encoding="ascii", opener=private) as file:
            json.dump(settings, file)
        return path


def private(path, flags):
    return os.open(path, flags, 0o600)
