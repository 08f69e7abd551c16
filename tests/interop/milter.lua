-- Sessions of an MTA with criba's milter listener, by miltertest(8): several messages a connection, an abort, spam,
-- forged header fields, and an MTA of old.

local GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\r\n"

local function check(what, holds)
  if not holds then error(what) end
end

local function envelope(conn, id)
  mt.macro(conn, SMFIC_MAIL, "i", id)
  check("MAIL", mt.mailfrom(conn, "<ana@example.net>") == nil)
  check("RCPT", mt.rcptto(conn, "<box@example.org>") == nil)
end

local function message(conn, fields, body)
  check("DATA", mt.data(conn) == nil)
  for _, field in ipairs(fields) do
    check("a header field", mt.header(conn, field[1], field[2]) == nil)
  end
  check("the end of the header", mt.eoh(conn) == nil)
  check("the body", mt.bodystring(conn, body) == nil)
  check("the end", mt.eom(conn) == nil)
end

local function session(version, actions, steps)
  local conn = mt.connect(socket, 40, 0.25)
  check("a connection", conn ~= nil)
  check("the negotiation", mt.negotiate(conn, version, actions, steps) == nil)
  check("CONNECT", mt.conninfo(conn, "client.example.net", "192.0.2.1") == nil)
  check("HELO", mt.helo(conn, "client.example.net") == nil)

  -- Ham: marked, and what was forged is gone.
  envelope(conn, "first")
  message(conn, { { "From", "ana@example.net" }, { "Subject", "minutes" }, { "X-Spam-Flag", "YES" } }, "A mail.\r\n")
  check("ham is accepted", mt.getreply(conn) == SMFIR_ACCEPT)
  check("it is marked", mt.eom_check(conn, MT_HDRADD, "X-Spam-Status"))
  check("the forged field is deleted", mt.eom_check(conn, MT_HDRDELETE, "X-Spam-Flag"))
  check("the body stays", not mt.eom_check(conn, MT_BODYCHANGE))

  -- A message that is given up leaves nothing to the next.
  envelope(conn, "second")
  check("DATA", mt.data(conn) == nil)
  check("a header field", mt.header(conn, "X-Spam-Level", "***") == nil)
  check("an abort", mt.abort(conn) == nil)

  -- Spam: refused.
  envelope(conn, "third")
  message(conn, { { "Subject", "buy" } }, GTUBE)
  check("spam is refused", mt.getreply(conn) == SMFIR_REPLYCODE)
  check("with this reply", mt.eom_check(conn, MT_SMTPREPLY, "550", "5.7.1", "This message was refused as spam"))

  -- And the connection is as good as before.
  envelope(conn, "fourth")
  message(conn, { { "Subject", "minutes" } }, "Another.\r\n")
  check("ham is accepted", mt.getreply(conn) == SMFIR_ACCEPT)
  check("nothing is left to delete", not mt.eom_check(conn, MT_HDRDELETE))
  mt.disconnect(conn)
end

mt.set_timeout(60)
session(6, 0x1ff, 0x1fffff)
-- Version 2 of the protocol, as old MTAs have it.
session(2, 0x3f, 0x7f)
