-- An MTA, by miltertest(8), with spamass-milter, which has spamc ask criba's spamd listener.

local conn = mt.connect(socket, 40, 0.25)
mt.set_timeout(60)

local function check(what, holds)
  if not holds then error(what) end
end

local function message(subject, body)
  mt.macro(conn, SMFIC_MAIL, "i", "4Q", "j", "mx.example.org", "_", "client.example.net [192.0.2.1]",
    "b", "Thu, 26 Nov 2026 12:15:34 +0000")
  check("MAIL", mt.mailfrom(conn, "<ana@example.net>") == nil)
  check("RCPT", mt.rcptto(conn, "<box@example.org>") == nil)
  check("From", mt.header(conn, "From", "ana@example.net") == nil)
  check("Subject", mt.header(conn, "Subject", subject) == nil)
  check("X-Spam-Flag", mt.header(conn, "X-Spam-Flag", "YES") == nil)
  check("the end of the header", mt.eoh(conn) == nil)
  check("the body", mt.bodystring(conn, body) == nil)
  check("the end", mt.eom(conn) == nil)
  return mt.getreply(conn)
end

check("CONNECT", mt.conninfo(conn, "client.example.net", "192.0.2.1") == nil)
check("HELO", mt.helo(conn, "client.example.net") == nil)
check("ham goes on", message("minutes", "A mail.\r\n") == SMFIR_CONTINUE)
check("it is marked", mt.eom_check(conn, MT_HDRADD, "X-Spam-Status"))
check("the forged field is gone", mt.eom_check(conn, MT_HDRDELETE, "X-Spam-Flag"))
local gtube = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\r\n"
check("spam is refused", message("buy", gtube) == SMFIR_REPLYCODE)
mt.disconnect(conn)
