"""What is kept of a provider's answer about a message: the words that such answers are made of.

Providers quote what they were given: an address in any of its spellings, a name, a line of the message.
Reasons are stored in the clear and shown to many.  Nobody can list what must be left out, so what may stay is
listed: everything but known words and status codes becomes `…`.
"""

import re

_WORDS = """
a able about above abuse abusive accept acceptable accepted accepting access account accounts action
active activity actually add added address addresses administrative administrator after again against
aliases all allowed allows already also an and android another any anymore appears apple arc are as at
attachment attachments attempt attempts attribute auth authenticate authenticated authentication
authenticity authorisation authorised authorization authorized available avoid away back bad banned
barracuda be because been before being believe below best black blacklist blacklisted block blocked
blocking blocklist body bounce bounces box broken bulk but by bytes call can cannot certain certificate
change changed channel character characters check checked checking checks child city client clients
closed closing cloudmark code codes command commands complaint complaints complete completed compliance
compliant conditions configuration configured connect connection connections contact contain contained
contains content contents control could count country credentials currently daily dane data database day
days deactivated decided declined defer deferral deferred delay delayed deleted deliver deliverability
delivered delivering delivery denied deny denylist destination detected did different directory disabled
disallowed discarded disconnect disk dkim dmarc dns dnsbl do does doesn't domain domains don't down due
duplicate e each early ehlo either email emails empty enabled encryption end enforced enough enter eof
error errors established exceed exceeded exceeding exceeds excessive exchange exim exist existing exists
expired external failed failing fails failure feedback few file files filled filter filtered filtering
filters first following for forbidden format forward forwarded forwarding forwards found frequency
frequent from full further future get given gmail go google graylist graylisted greylist greylisted
greylisting group had handle has have having header headers helo help here high higher history host hosts
hour hourly hours how however if in inactive inbound inbox incoming incorrect indicates information
inside insufficient internal internet into invalid invalidated io ip is issue issues it its just keep
kind known large last later length less limit limited limits line lines link links list listed local
locally location locked login long looks lookup loop loops low lower mail mailbox mailboxes mailer
mailhost mails maintenance make malformed malicious malware management manager many matching max maximal
maximum may message messages method microsoft mimecast minute minutes missing mistake moderated moment
monthly more most moved multiple must mx name named names network never new next no non none nonexistent
nor not nothing notice notification now null number numbers object occurred of off office offline ok old
on once one only open operation operator or order organization other our out outbound outlook over
overloaded overquota own paused peer per period permanent permanently permission permissions permitted
phishing pipe please pointer policies policy poor port possible postfix postmaster potential prevent
previous prior private problem problems processed processing program prohibited proofpoint protection
protocol provide provided provider ptr queue queued quota rate rates rbl rcpt reach reached reading
reason reasons receive received receiver receiving recent recently recipient recipient's recipients
reconnect record records refer reference refused register registered reject rejected rejecting rejection
rejects relay relayed relaying relays remote removed repeat reply report reported reputation request
requested requests require required requires reset resolve resource resources respond response restricted
restrictions result retries retry return returned reverse rfc route router routing rule rules sandbox
saving scan score second seconds section security see seem seems seen send sender sender's senders
sending sendmail sent sequence server servers service session sessions several should similar since site
size slow smtp smtputf8 so socket software some soon source spam spamcop spamhaus spammer spamming
specified spf spool ssl standard standards start starttls state status still stop storage store stored
string subject submission subsystem such support supported suspected suspended suspicious syntax system
systems take takes target temporarily temporary terms than that the their them then there these they
third this those threshold throttled throttling through throughput time timed timeout times tls to today
told too total traffic transaction transfer transient tried try trying turned two type unable
unacceptable unauthenticated unauthorized unavailable unblock undeliverable under unexpected unexpectedly
unfortunately unknown unless unlisted unrecognized unresolvable unroutable unsolicited unsupported until
unusual unverified up upgrade url urls usage use used user users using utf8 valid validation verification
verified verify version via violates violation virus visit wait waiting want was we website week weekly
were what when where which while white whitelist who will with within without wrong yahoo you your
yourself zone
"""
KNOWN = frozenset(_WORDS.split())
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_AROUND = "\"'`()[]{}<>:;,.!?*-=#/"
_BETWEEN = re.compile(r"[-/_]")
LEFT_OUT = "…"


def redacted(text: str) -> str:
    """The text with `…` in the place of everything that is no known word and no status code."""
    kept: list[str] = []
    for token in text.split():
        core = token.strip(_AROUND)
        if not core or _is_known(core):
            kept.append(token)
        elif not kept or kept[-1] != LEFT_OUT:
            kept.append(LEFT_OUT)
    return " ".join(kept)


def _is_known(core: str) -> bool:
    return bool(_STATUS.fullmatch(core)) or all(part.lower() in KNOWN for part in _BETWEEN.split(core))
