# Runs aiosmtpd on one port of the loopback, and puts what it takes into a maildir. How it answers is chosen by whom a mail is for:
#
#   refused@…  550, with the address in the answer
#   busy2@…    450 twice, then as usual
#   late1@…    takes the mail once without answering, then as usual

import asyncio
import collections
import json
import re
import signal
import ssl
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Mailbox
from aiosmtpd.smtp import AuthResult

settings = json.loads(sys.argv[1])
counts = collections.Counter()


def manner(address, word):
    """How often this recipient is to be met so; 0 when never."""
    found = re.match(word + r"(\d*)[^@]*@", address)
    return int(found.group(1) or sys.maxsize) if found else 0


class Manners(Mailbox):
    async def handle_RCPT(self, server, session, envelope, address, options):
        if manner(address, "refused"):
            return f"550 5.1.1 <{address}>: nobody here is called so"
        counts["busy", address] += 1
        if counts["busy", address] <= manner(address, "busy"):
            return f"450 4.2.1 <{address}>: come again"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        answer = await super().handle_DATA(server, session, envelope)
        address = envelope.rcpt_tos[0]
        counts["late", address] += 1
        if counts["late", address] <= manner(address, "late"):
            await asyncio.sleep(3600)
        return answer


def authenticate(server, session, envelope, mechanism, data):
    right = [data.login.decode(), data.password.decode()] == settings["login"]
    return AuthResult(success=right, handled=False)


options = {}
if settings["certificate"]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(settings["certificate"], settings["key"])
    if settings["starttls"]:
        options.update(tls_context=context, require_starttls=True)
    else:
        options.update(ssl_context=context)
if settings["login"]:
    # Over TLS from the first byte on, aiosmtpd does not know that it is sealed.
    options.update(authenticator=authenticate, auth_required=True, auth_require_tls=settings["starttls"])

Controller(Manners(settings["maildir"]), hostname="127.0.0.1", port=settings["port"], enable_SMTPUTF8=True, **options).start()
signal.pause()
