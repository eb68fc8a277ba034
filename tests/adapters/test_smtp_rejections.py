"""Whose fault a refusal is: answers that servers really give, and who must pay for them."""

import socket
import ssl

import pytest
from aiosmtplib import SMTPConnectError, SMTPException, SMTPServerDisconnected

from adapters.providers.email.smtp.replies import Stage, outcome_of_error, outcome_of_reply
from domain.provider.outcome import AccountFault, Deferred, Refused

C, L, S, R, D, M = Stage.CONNECT, Stage.LOGIN, Stage.SENDER, Stage.RECIPIENT, Stage.DATA, Stage.CONTENT

LOGIN = [
    (L, "535 5.7.8 Error: authentication failed"),  # Postfix, Dovecot
    (L, "535 5.7.3 Authentication unsuccessful"),  # Exchange
    (L, "535-5.7.8 Username and Password not accepted"),  # Gmail
    (L, "534-5.7.9 Application-specific password required"),
    (L, "454 4.7.0 Temporary authentication failure: Connection lost to authentication server"),
    (L, "454 4.7.0 Too many login attempts, please try again later"),
    (L, "432 4.7.12 A password transition is needed"),
    (L, "500 5.5.1 Unrecognized command"),
    (L, "504 5.5.4 Unrecognized authentication type"),
    (S, "530 5.7.0 Must issue a STARTTLS command first"),
    (S, "530 5.7.57 Client not authenticated to send mail"),
    (S, "530 5.7.0 Authentication Required"),
    (R, "530 5.7.1 Authentication required"),
    (D, "535 5.7.8 credentials invalid"),
    (M, "530 Authentication required"),
]
TURNED_AWAY = [
    (C, "554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using zen.spamhaus.org"),
    (C, "550 5.7.1 Connection refused"),
    (C, "521 5.3.2 does not accept mail"),
    (S, "550 5.7.1 not from you"),
    (S, "553 5.7.1 <shop@shop.test>: Sender address rejected: not owned by user shop"),
    (S, "550 5.1.8 <shop@shop.test>: Sender address rejected: Domain not found"),
    (S, "501 5.1.7 Bad sender address syntax"),
    (S, "550 5.4.5 Daily user sending quota exceeded"),
    (S, "452 4.3.1 Daily sending quota exceeded"),
    (S, "550 no"),
]
PERHAPS = [
    (R, "554 5.7.1 <ada@shop.test>: Relay access denied"),  # Postfix
    (R, "454 4.7.1 <ada@shop.test>: Relay access denied"),  # Postfix, soft
    (R, "550 relay not permitted"),  # Exim
    (R, "550 5.7.1 Unable to relay"),  # Exchange
    (R, "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain"),
    (R, "550 5.7.64 TenantAttribution; Relay Access Denied"),
    (R, "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)"),  # qmail
    (R, "550 5.7.1 <ada@shop.test>... Relaying denied"),  # Sendmail
    (R, "550 This system does not relay"),
    (R, "550 Authentication is required for relay"),
    (R, "550 5.1.8 <shop@shop.test>: Sender address rejected: Domain not found"),
    (R, "553 5.7.1 <shop@shop.test>: Sender address rejected: not owned by user shop"),
    (R, "550 Sender verify failed"),
    (R, "504 5.5.2 <localhost>: Helo command rejected: need fully-qualified hostname"),
    (R, "554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using zen.spamhaus.org"),
    (R, "550 5.7.25 Client host rejected: cannot find your hostname"),
    (R, "550 5.7.23 The message was rejected because of Sender Policy Framework violation"),
    (R, "550 5.7.1 Access denied"),
    (R, "550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP"),
    (R, "503 5.5.1 Bad sequence of commands"),
    (R, "550 5.4.5 Daily SMTP relay sending limit exceeded for this user"),  # Gmail
    (D, "550 5.4.5 Daily user sending quota exceeded"),
    (M, "550 5.7.60 SMTP; Client does not have permissions to send as this sender"),
    (M, "554 5.2.0 STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied"),
    (M, "554 Message rejected: Email address is not verified."),  # SES
    (M, "554 Message rejected: Sending paused for this account."),
    (M, "454 Throttling failure: Daily message quota exceeded."),
    (M, "451 Authentication failed: Maximum credits exceeded"),  # SendGrid
    (M, "550 The from address does not match a verified Sender Identity"),
    (M, "550 5.7.501 Access denied, spam abuse detected from your tenant"),
    (M, "550 5.7.26 Unauthenticated email from shop.test is not accepted due to DMARC policy"),
]
RECIPIENT = [
    (R, "550 5.1.1 <ada@shop.test>: Recipient address rejected: User unknown in relay recipient table"),
    (R, "550 5.1.1 The email account that you tried to reach does not exist"),
    (R, "550 5.1.10 RESOLVER.ADR.RecipientNotFound"),
    (R, "550 5.2.1 The email account that you tried to reach is disabled"),
    (R, "552 5.2.2 The email account that you tried to reach is over quota"),
    (R, "554 5.7.1 <ada@shop.test>: Recipient address rejected: Access denied"),
    (R, "550 5.4.1 Recipient address rejected: Access denied"),
    (R, "501 5.1.3 Bad recipient address syntax"),
    (R, "550 5.4.4 Unable to route: no such domain"),
    (R, "556 5.1.10 Recipient address has null MX"),
    (R, "550 No such user here"),
    (R, "550 Requested action not taken: mailbox unavailable"),
    (R, "551 User not local"),
    (R, "550 no"),
    (D, "554 5.5.1 no valid recipients"),
    (M, "550 5.7.1 looks like spam"),
    (M, "554 5.7.1 Message rejected: a link in it is blocked using dbl.spamhaus.org"),
    (M, "552 5.3.4 Message size exceeds fixed limit"),
    (M, "554 5.6.0 content not acceptable"),
    (M, "552 5.2.2 mailbox full"),
    (S, "552 5.3.4 Message size exceeds fixed limit"),
]
LATER = [
    (C, "421 4.3.2 too busy"),
    (C, "450 4.3.2 try again"),
    (L, "421 4.3.2 shutting down"),
    (S, "451 4.3.0 later"),
    (S, "421 4.7.0 too many messages"),
    (R, "450 4.2.0 <ada@shop.test>: Recipient address rejected: Greylisted, see http://postgrey.test/"),
    (R, "451 4.7.1 Greylisting in action, please come back later"),
    (R, "450 4.7.1 Client host rejected: greylisted"),
    (R, "450 4.1.8 <shop@shop.test>: Sender address rejected: Domain not found"),
    (R, "452 4.2.2 The email account that you tried to reach is over quota"),
    (R, "450 4.3.2 system busy"),
    (M, "451 4.7.1 greylisted, come back"),
    (M, "454 Throttling failure: Maximum sending rate exceeded."),
]


def rejected(stage: Stage, answer: str, recipient: str = "ada@shop.test"):
    return outcome_of_reply(stage, int(answer[:3]), answer[4:], recipient)


@pytest.mark.parametrize(("stage", "answer"), LOGIN + TURNED_AWAY)
def test_what_comes_before_the_recipient_or_is_about_the_login_is_the_accounts(stage, answer):
    outcome = rejected(stage, answer)
    assert isinstance(outcome, AccountFault)
    assert outcome.certain
    assert outcome.reason.startswith(f"{stage.value}: {answer[:3]}")


@pytest.mark.parametrize(("stage", "answer"), PERHAPS)
def test_what_speaks_of_sender_relaying_or_quota_is_perhaps_the_accounts(stage, answer):
    outcome = rejected(stage, answer)
    assert isinstance(outcome, AccountFault)
    assert not outcome.certain


@pytest.mark.parametrize(("stage", "answer"), RECIPIENT)
def test_what_concerns_the_recipient_or_the_message_ends_its_delivery(stage, answer):
    assert isinstance(rejected(stage, answer), Refused)


@pytest.mark.parametrize(("stage", "answer"), LATER)
def test_what_will_pass_is_deferred(stage, answer):
    outcome = rejected(stage, answer)
    assert isinstance(outcome, Deferred)
    assert outcome.examined == (stage in (R, D, M)), "before that nothing was said of the message"


@pytest.mark.parametrize("answer", ["553 5.6.7 non-ASCII addresses not permitted", "555 5.5.4 SMTPUTF8?"])
def test_an_address_that_a_server_cannot_carry_is_not_the_accounts_fault(answer):
    assert isinstance(rejected(S, answer, "jörg@shop.test"), Refused)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), AccountFault),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"), Deferred),
        (ssl.SSLCertVerificationError("hostname mismatch"), AccountFault),
        (ssl.SSLError("WRONG_VERSION_NUMBER"), AccountFault),
        (ssl.SSLEOFError("EOF occurred in violation of protocol"), Deferred),
        (ConnectionRefusedError("refused"), Deferred),
        (ConnectionResetError("reset"), Deferred),
        (OSError("no route to host"), Deferred),
    ],
)
def test_what_cannot_work_as_it_is_configured_is_our_fault(error, kind):
    wrapped = SMTPConnectError(f"Error connecting: {error}")
    wrapped.__cause__ = error
    for each in (error, wrapped):
        outcome = outcome_of_error(C, each)
        assert isinstance(outcome, kind)
        assert getattr(outcome, "examined", False) is False


@pytest.mark.parametrize("stage", [C, L])
def test_an_extension_that_the_server_lacks_is_our_fault(stage):
    assert isinstance(
        outcome_of_error(stage, SMTPException("The SMTP AUTH extension is not supported")), AccountFault
    )
    assert isinstance(outcome_of_error(stage, SMTPServerDisconnected("Connection lost")), Deferred)


def test_a_server_that_talks_without_end_is_not_read_to_the_end():
    outcome = rejected(R, "554 " + "a" * 3_000_000)
    assert isinstance(outcome, Refused)
    assert len(outcome.reason) < 300
