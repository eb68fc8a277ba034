"""The demo's page in a real browser: live, at home, and nobody's mail can run anything in it."""

from urllib.parse import urlsplit

from playwright.async_api import Browser, Page, expect

from tests.e2e.demo.conftest import Demo

HOSTILE = """
<h1>Hello</h1><script>parent.document.title = 'taken'</script>
<img src='https://tracker.example.com/pixel.gif'>
"""


async def opened(demo: Demo, browser: Browser) -> tuple[Page, list[str], list[str]]:
    """The page with a mail on it, every URL it asked for, and what it complained of."""
    page = await browser.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto(f"{demo.url}/", wait_until="domcontentloaded")
    await expect(page.locator("tr.mailed").first).to_be_visible(timeout=30_000)
    await expect(page.frame_locator("#body").locator("h1")).to_be_visible(timeout=30_000)
    return page, asked, complaints


async def test_it_asks_for_nothing_outside_its_origin(shared_demo: Demo, browser: Browser) -> None:
    _, asked, complaints = await opened(shared_demo, browser)
    assert len(asked) > 5
    assert {f"{urlsplit(url).scheme}://{urlsplit(url).netloc}" for url in asked} == {shared_demo.url}
    assert complaints == []


async def test_a_request_over_the_api_appears_live_and_its_mail_beside_it(
    shared_demo: Demo, browser: Browser
) -> None:
    page, _, complaints = await opened(shared_demo, browser)
    answer = await page.request.post(
        f"{shared_demo.url}/api/notifications",
        headers={"Authorization": f"Bearer {shared_demo.key}"},
        data={
            "notificationType": "greetings_from_a_test",
            "channelType": "email",
            "recipients": [{"email": "eve@mail.example.com"}],
            "subject": "<b>Not markup</b>",
            "body": "Plain.",
            "htmlBody": HOSTILE,
        },
    )
    assert answer.status == 202
    row = page.locator("tr", has_text="greetings_from_a_test")
    await expect(row.locator(".pill")).to_have_text("sent", timeout=15_000)
    await row.click()
    await expect(page.locator("#subject")).to_have_text("<b>Not markup</b>")
    mail = page.frame_locator("#body")
    await expect(mail.locator("h1")).to_have_text("Hello")
    assert "taken" not in await page.title()
    assert [
        c for c in complaints if "tracker.example.com" in c or "sandboxed" in c
    ]  # the browser refused both
    await page.get_by_role("button", name="Text").click()
    await expect(mail.locator("body")).to_contain_text("Plain.")


async def test_rows_can_be_opened_with_the_keyboard(shared_demo: Demo, browser: Browser) -> None:
    page, _, _ = await opened(shared_demo, browser)
    row = page.locator("tr.mailed").last
    await row.focus()
    await page.keyboard.press("Enter")
    await expect(row).to_have_attribute("aria-selected", "true")
    await expect(page.get_by_role("button", name="Follow")).to_have_attribute("aria-pressed", "false")


async def test_the_end_of_the_demo_is_shown(demo: Demo, browser: Browser) -> None:
    page, _, _ = await opened(demo, browser)
    assert await demo.child.terminate(timeout=20) == 0
    await expect(page.locator("#link")).to_have_text("not connected", timeout=10_000)


async def test_a_provider_is_broken_and_another_one_carries_its_messages(
    demo: Demo, browser: Browser
) -> None:
    page, _, complaints = await opened(demo, browser)
    await page.get_by_role("button", name="Break twilio").click()
    await expect(page.get_by_role("button", name="Mend twilio")).to_be_visible()
    answer = await page.request.post(
        f"{demo.url}/api/notifications",
        headers={"Authorization": f"Bearer {demo.key}"},
        data={
            "notificationType": "text_from_a_test",
            "channelType": "sms",
            "recipients": [{"phone": "+447700900199"}],
            "body": "<b>Not markup</b> & more",
        },
    )
    assert answer.status == 202
    row = page.locator("tr", has_text="text_from_a_test")
    await expect(row.locator(".pill")).to_have_text("sent", timeout=15_000)
    await expect(row.locator("td").nth(3)).to_contain_text("vonage")
    await row.click()
    await expect(page.locator("#text")).to_have_text("<b>Not markup</b> & more")
    await expect(page.locator("#via")).to_have_text("by vonage")
    await page.get_by_role("button", name="Mend twilio").click()
    await expect(page.get_by_role("button", name="Break twilio")).to_be_visible()
    assert complaints == []
