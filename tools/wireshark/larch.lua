-- SPDX-License-Identifier: Apache-2.0
-- Shows larch in Wireshark and tshark, version 4.0 or later: the direct exchange in CoAP payloads (PROTOCOL.md, section 1),
-- the numbers of OSCORE messages, and records of the sniffer board's serial line in captures of link type USER0 (section 5),
-- unstuffed.
--
--   tshark -X lua_script:larch.lua -V -r capture.pcapng
--
-- or copied into the folder "Personal Lua Plugins" that `tshark -G folders` names. `make install` puts this file into
-- PREFIX/share/larch/wireshark. As root, Wireshark 4.4 and later runs no Lua.

local SETS = { -- by the length of the KEM ciphertext
  [768] = "ML-KEM-512",
  [1088] = "ML-KEM-768",
  [1120] = "X-Wing",
  [1568] = "ML-KEM-1024",
}
local KEYS = { [800] = "ML-KEM-512", [1184] = "ML-KEM-768", [1216] = "X-Wing", [1568] = "ML-KEM-1024" } -- by the key's length
local HEAD, TAG = 18, 16 -- bytes of a sealed message before the KEM ciphertext, and at its end

-- ---- fingerprints --------------------------------------------------------------

-- "bit" is Wireshark's own, so that every Lua has it; its results are signed.
local band, bnot, bxor, ror, rshift, tobit = bit.band, bit.bnot, bit.bxor, bit.ror, bit.rshift, bit.tobit

local SHA256_K = {
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
}

-- [FIPS180-4 6.2] of a ByteArray; the digest as a list of eight words.
local function sha256(bytes)
  local h = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 }
  local len, w = bytes:len(), {}
  local padded = len + 9 + (-len - 9) % 64
  local function byte(i)
    if i < len then
      return bytes:get_index(i)
    elseif i == len then
      return 0x80
    end
    return i < padded - 4 and 0 or math.floor(len * 8 / 256 ^ (padded - 1 - i)) % 256
  end
  for at = 0, padded - 64, 64 do
    for i = 1, 16 do
      local p = at + 4 * (i - 1)
      w[i] = tobit(byte(p) * 0x1000000 + byte(p + 1) * 0x10000 + byte(p + 2) * 0x100 + byte(p + 3))
    end
    for i = 17, 64 do
      local x, y = w[i - 15], w[i - 2]
      w[i] = tobit(w[i - 16] + bxor(ror(x, 7), ror(x, 18), rshift(x, 3)) + w[i - 7] +
                   bxor(ror(y, 17), ror(y, 19), rshift(y, 10)))
    end
    local s = { tobit(h[1]), tobit(h[2]), tobit(h[3]), tobit(h[4]), tobit(h[5]), tobit(h[6]), tobit(h[7]), tobit(h[8]) }
    for i = 1, 64 do
      local t1 = s[8] + bxor(ror(s[5], 6), ror(s[5], 11), ror(s[5], 25)) + bxor(band(s[5], s[6]), band(bnot(s[5]), s[7])) +
                 tobit(SHA256_K[i]) + w[i]
      local t2 = bxor(ror(s[1], 2), ror(s[1], 13), ror(s[1], 22)) +
                 bxor(band(s[1], s[2]), band(s[1], s[3]), band(s[2], s[3]))
      s = { tobit(t1 + t2), s[1], s[2], s[3], tobit(s[4] + t1), s[5], s[6], s[7] }
    end
    for i = 1, 8 do
      h[i] = tobit(h[i] + s[i])
    end
  end
  return h
end

-- The first 20 bytes of a key's SHA-256, given as words, in base32 [RFC4648 6]: as `larch keys fingerprint` prints it.
local function fingerprint(words)
  local text, value, bits = "larch1:", 0, 0
  for i = 0, 19 do
    value = value * 256 + band(rshift(words[math.floor(i / 4) + 1], 24 - 8 * (i % 4)), 255)
    bits = bits + 8
    while bits >= 5 do
      bits = bits - 5
      local digit = math.floor(value / 2 ^ bits)
      value = value % 2 ^ bits
      text = text .. ("abcdefghijklmnopqrstuvwxyz234567"):sub(digit + 1, digit + 1)
    end
  end
  return text
end

-- ---- the direct exchange ------------------------------------------------------

local direct = Proto("larch", "larch direct exchange")
local f = {
  kem = ProtoField.string("larch.kem", "Parameter set"),
  ek = ProtoField.bytes("larch.ek", "Encapsulation key"),
  fingerprint = ProtoField.string("larch.fingerprint", "Fingerprint"),
  type = ProtoField.uint8("larch.type", "Type", base.DEC, { [3] = "sealed message" }),
  zero = ProtoField.uint8("larch.zero", "Zero"),
  ct_len = ProtoField.uint16("larch.ct_len", "KEM ciphertext length"),
  text_len = ProtoField.uint16("larch.text_len", "Text length"),
  nonce = ProtoField.bytes("larch.nonce", "Nonce"),
  ct = ProtoField.bytes("larch.ct", "KEM ciphertext"),
  ciphertext = ProtoField.bytes("larch.ciphertext", "Ciphertext"),
  tag = ProtoField.bytes("larch.tag", "Tag"),
  answer = ProtoField.string("larch.answer", "Answer"),
  pinned = ProtoField.bytes("larch.next.pinned", "Pinned key's SHA-256, first bytes"),
  present = ProtoField.bytes("larch.next.present", "Present key's SHA-256"),
  endorsement = ProtoField.bytes("larch.next.tag", "Endorsement tag"),
  receipt = ProtoField.bytes("larch.receipt", "Receipt"),
  document = ProtoField.bytes("larch.root.document", "Identity document's SHA-256"),
  root_tag = ProtoField.bytes("larch.root.tag", "Tag"),
  version = ProtoField.uint8("larch.identity.version", "Version"),
  founding = ProtoField.uint8("larch.identity.founding", "Founding entries"),
  entry = ProtoField.bytes("larch.identity.entry", "SHA-256"),
}
direct.fields = f
local e = {
  length = ProtoExpert.new("larch.bad_length", "Wrong length", expert.group.MALFORMED, expert.severity.ERROR),
  type = ProtoExpert.new("larch.bad_type", "Wrong type", expert.group.MALFORMED, expert.severity.ERROR),
  refused = ProtoExpert.new("larch.refused", "The gateway refused it", expert.group.RESPONSE_CODE, expert.severity.WARN),
}
direct.experts = e

local coap_code, coap_path = Field.new("coap.code"), Field.new("coap.opt.uri_path_recon")
local coap_path_option = Field.new("coap.opt.uri_path")
local block, reassembled = Field.new("coap.opt.block_number"), Field.new("coap.block.reassembled.length")
local payload = Field.new("coap.payload")

local function wrong_length(tree, is, should)
  tree:add_proto_expert_info(e.length, string.format("%d bytes; it must be %s", is, should))
  return "wrong length"
end

local function show_key(tree, range)
  local kem = KEYS[range:len()]
  if kem == nil then
    return wrong_length(tree, range:len(), "800, 1184, 1216 or 1568")
  end
  tree:add(f.kem, range, kem):set_generated()
  tree:add(f.ek, range)
  local text = fingerprint(sha256(range:bytes()))
  tree:add(f.fingerprint, range, text):set_generated()
  return kem .. " key, " .. text
end

local function show_sealed(tree, range)
  if range:len() >= 2 and range(0, 2):uint() == 0xd860 then -- a COSE_Encrypt, tagged 96: its fields are in PROTOCOL.md, 1.8
    return "sealed (COSE)"
  end
  if range:len() < HEAD + TAG then
    return wrong_length(tree, range:len(), "at least 34")
  end
  local ct_len, text_len = range(2, 2):le_uint(), range(4, 2):le_uint()
  local type_item = tree:add(f.type, range(0, 1))
  tree:add(f.zero, range(1, 1))
  if range(0, 1):uint() ~= 3 or range(1, 1):uint() ~= 0 then
    type_item:add_proto_expert_info(e.type, "Type must be 3, and the byte behind it 0 (BAD_TYPE)")
  end
  local length_item = tree:add_le(f.ct_len, range(2, 2))
  tree:add_le(f.text_len, range(4, 2))
  tree:add(f.nonce, range(6, 12))
  local kem = SETS[ct_len]
  if kem == nil then
    return wrong_length(length_item, ct_len, "768, 1088, 1120 or 1568 (BAD_CT)")
  end
  tree:add(f.kem, range(2, 2), kem):set_generated()
  if range:len() ~= HEAD + ct_len + text_len + TAG then
    return wrong_length(tree, range:len(), string.format("18 + %d + %d + 16 (BAD_LEN)", ct_len, text_len))
  end
  tree:add(f.ct, range(HEAD, ct_len))
  if text_len > 0 then
    tree:add(f.ciphertext, range(HEAD + ct_len, text_len))
  end
  tree:add(f.tag, range(HEAD + ct_len + text_len, TAG))
  return string.format("%s sealed, %d bytes of text", kem, text_len)
end

local function show_next_ask(tree, range)
  local kem = SETS[range:len() - 4]
  if kem == nil then
    return wrong_length(tree, range:len(), "4 + 768, 1088, 1120 or 1568 (BAD_LEN)")
  end
  tree:add(f.pinned, range(0, 4))
  tree:add(f.kem, range, kem):set_generated()
  tree:add(f.ct, range(4))
  return kem .. " which key is next?"
end

local function show_root_ask(tree, range)
  local text = show_next_ask(tree, range)
  return text:gsub(" which key is next%?", " whose key is this?")
end

local function show_root_answer(tree, range)
  if range:len() ~= 48 then
    return wrong_length(tree, range:len(), "48")
  end
  tree:add(f.document, range(0, 32))
  tree:add(f.root_tag, range(32, 16))
  return "names the identity document"
end

local KINDS = { "root key", "ML-DSA", "authority, ML-DSA" }

-- The identity document, or a root key.
local function show_root(tree, range)
  if range:len() < 8 or range(0, 8):string() ~= "larch-id" then
    local text = show_key(tree, range)
    return text == "wrong length" and text or "root, " .. text
  end
  if range:len() < 10 + 35 or (range:len() - 10) % 35 ~= 0 or range:len() > 10 + 16 * 35 then
    return wrong_length(tree, range:len(), "10 + 35 for each of 1 to 16 entries")
  end
  tree:add(f.version, range(8, 1))
  tree:add(f.founding, range(9, 1))
  for at = 10, range:len() - 35, 35 do
    local kind = KINDS[range(at, 1):uint()] or "unknown kind"
    tree:add(f.entry, range(at + 3, 32)):prepend_text(string.format("%s %d, ", kind, range(at + 1, 2):uint()))
  end
  return "identity document"
end

local function show_next_answer(tree, range)
  if range:len() ~= 48 then
    return wrong_length(tree, range:len(), "48")
  end
  local words = {}
  for i = 0, 4 do
    words[i + 1] = range(4 * i, 4):uint()
  end
  local text = fingerprint(words)
  tree:add(f.present, range(0, 32))
  tree:add(f.fingerprint, range(0, 20), text):set_generated()
  tree:add(f.endorsement, range(32, 16))
  return "next key, " .. text
end

-- A receipt stands behind OK and REPLAY, if it was asked for.
local function show_answer(tree, range, code)
  local text_len = range:len() - TAG
  local front = text_len > 0 and range(0, text_len):string() or ""
  if front ~= "OK" and front ~= "REPLAY" then
    text_len, front = range:len(), range:string()
  end
  local item = tree:add(f.answer, range(0, text_len), front)
  if code >= 0x80 then
    item:add_proto_expert_info(e.refused, "The gateway refused it: " .. front)
  end
  if text_len < range:len() then
    tree:add(f.receipt, range(text_len, TAG))
    return front .. ", receipt"
  end
  return front
end

-- What the payload is, by path and code; POST to /pqkem-pk has none.
local function shower_of(path, code)
  if code >= 0x80 then
    return show_answer
  elseif path == "pqkem-pk" then
    return code >= 0x40 and show_key or nil
  elseif path == "pqkem-data" then
    return code >= 0x40 and show_answer or show_sealed
  elseif path == "pqkem-next" then
    return code >= 0x40 and show_next_answer or show_next_ask
  elseif path == "pqkem-root" then
    return code == 0x44 and show_root_answer or code >= 0x40 and show_root or show_root_ask
  end
end

-- A postdissector: CoAP knows no table of paths, and answers are known by their request's.
function direct.dissector(_, pinfo, root)
  local code, path, body = coap_code(), coap_path() or coap_path_option(), payload()
  if code == nil or path == nil or body == nil then
    return
  end
  local name = tostring(path.value):match("^/?(pqkem%-%a+)")
  local show = name and shower_of(name, code.value)
  if show == nil or (block() ~= nil and code.value < 0x80 and reassembled() == nil) then
    return -- a block on its own says nothing
  end
  local tree = root:add(direct, body.range, "larch direct exchange, /" .. name)
  local text = show(tree, body.range, code.value)
  if text ~= nil then
    tree:append_text(": " .. text)
    pinfo.cols.info:append(" [" .. text .. "]")
  end
end

register_postdissector(direct)

-- ---- OSCORE -------------------------------------------------------------------

-- Wireshark reads and decrypts OSCORE itself, with its own list of security contexts, which takes the lines of a larch key
-- log. It shows a Partial IV as bytes; as a number it can be compared and drawn: larch.oscore.number > 1000.
local oscore = Proto("larch_oscore", "larch OSCORE")
local number = ProtoField.uint64("larch.oscore.number", "Sender Sequence Number")
oscore.fields = { number }
local partial_iv = Field.new("coap.opt.object_security_piv")

function oscore.dissector(_, _, root)
  local found = partial_iv()
  if found ~= nil and found.range:len() <= 5 then
    local tree = root:add(oscore, found.range, "larch OSCORE")
    tree:add(number, found.range, found.range:uint64()):set_generated()
  end
end

register_postdissector(oscore)

-- ---- records of the serial line ------------------------------------------------

local serial = Proto("larch_serial", "larch sniffer record")
local r = {
  type = ProtoField.uint8("larch_serial.type", "Type", base.DEC, { "frame", "status", "text" }),
  sequence = ProtoField.uint32("larch_serial.sequence", "Sequence number"),
  dropped = ProtoField.uint32("larch_serial.dropped", "Dropped by the board before"),
  missing = ProtoField.uint32("larch_serial.missing", "Missing since the frame before"),
  time = ProtoField.uint64("larch_serial.time", "Time since power on, us"),
  channel = ProtoField.uint8("larch_serial.channel", "Channel"),
  signal = ProtoField.int8("larch_serial.signal", "Signal, dBm"),
  length = ProtoField.uint16("larch_serial.length", "Length on the air"),
  heard = ProtoField.uint32("larch_serial.heard", "Frames heard"),
  waiting = ProtoField.uint16("larch_serial.waiting", "Frames waiting"),
  snap = ProtoField.uint16("larch_serial.snap", "Snap length"),
  used = ProtoField.uint32("larch_serial.ring_used", "Ring, bytes used"),
  size = ProtoField.uint32("larch_serial.ring_size", "Ring, size"),
  running = ProtoField.bool("larch_serial.running", "Listening"),
  text = ProtoField.string("larch_serial.text", "Text"),
  crc = ProtoField.uint32("larch_serial.crc", "CRC-32", base.HEX),
}
serial.fields = r
local x = {
  crc = ProtoExpert.new("larch_serial.bad_crc", "Wrong checksum", expert.group.CHECKSUM, expert.severity.ERROR),
  form = ProtoExpert.new("larch_serial.bad_form", "Not a record", expert.group.MALFORMED, expert.severity.ERROR),
  gap = ProtoExpert.new("larch_serial.gap", "Frames are missing", expert.group.SEQUENCE, expert.severity.WARN),
  frame = ProtoExpert.new("larch_serial.bad_frame", "The 802.11 frame in it is malformed", expert.group.MALFORMED,
                          expert.severity.WARN),
  short = ProtoExpert.new("larch_serial.short", "The capture does not hold the whole record", expert.group.SEQUENCE,
                          expert.severity.NOTE),
  cut = ProtoExpert.new("larch_serial.cut", "The frame was cut", expert.group.SEQUENCE, expert.severity.NOTE),
}
serial.experts = x

local wlan = Dissector.get("wlan_withoutfcs")
local before, gaps -- the last sequence number in capture order; what was missing, by number of the packet

function serial.init()
  before, gaps = nil, {}
end

local function crc32(bytes)
  local crc = 0xffffffff
  for i = 0, bytes:len() - 1 do
    crc = bxor(crc, bytes:get_index(i))
    for _ = 1, 8 do
      crc = bxor(rshift(crc, 1), band(crc, 1) * 0xedb88320)
    end
  end
  return bnot(crc) % 0x100000000
end

-- Adds fields one behind the other.
local function add_all(tree, body, at, list)
  for _, item in ipairs(list) do
    tree:add(r[item[1]], body(at, item[2]))
    at = at + item[2]
  end
end

local function show_frame(tree, body, pinfo, root)
  add_all(tree, body, 2, { { "sequence", 4 }, { "dropped", 4 }, { "time", 8 }, { "channel", 1 }, { "signal", 1 },
                           { "length", 2 } })
  local sequence, length = body(2, 4):uint(), body(20, 2):uint()
  if not pinfo.visited then
    gaps[pinfo.number] = before and (sequence - before - 1) % 0x100000000 or 0
    before = sequence
  end
  local gap = gaps[pinfo.number] or 0
  if gap > 0 and gap < 0x80000000 then
    tree:add(r.missing, body(2, 4), gap):set_generated()
    tree:add_proto_expert_info(x.gap, gap .. " frames are missing before this one")
  end
  if length > body:len() - 22 then
    tree:add_proto_expert_info(x.cut, string.format("%d of %d bytes were kept", body:len() - 22, length))
  end
  if body:len() > 22 then
    -- It shows by itself where a frame is malformed; then it raises an error, which is none of this file.
    local well = pcall(wlan.call, wlan, body(22):tvb(), pinfo, root)
    if not well then
      tree:add_proto_expert_info(x.frame)
    end
  end
end

local function show_status(tree, body, pinfo)
  add_all(tree, body, 2, { { "time", 8 }, { "heard", 4 }, { "dropped", 4 }, { "waiting", 2 }, { "snap", 2 }, { "used", 4 },
                           { "size", 4 }, { "channel", 1 }, { "running", 1 } })
  pinfo.cols.info = string.format("Status: %d heard, %d dropped", body(10, 4):uint(), body(14, 4):uint())
end

local function show_text(tree, body, pinfo)
  local text = body:len() > 2 and body(2):string() or ""
  if text ~= "" then
    tree:add(r.text, body(2))
  end
  pinfo.cols.info = text
end

local KINDS = {
  { show = show_frame, fits = function(len) return len >= 22 end },
  { show = show_status, fits = function(len) return len == 32 end },
  { show = show_text, fits = function(len) return len >= 2 end },
}

function serial.dissector(tvb, pinfo, root)
  local tree = root:add(serial, tvb())
  local len = tvb:len() - 4
  local kind = len >= 2 and tvb(1, 1):uint() == 0 and KINDS[tvb(0, 1):uint()]
  pinfo.cols.protocol = "larch"
  if tvb:reported_len() > tvb:len() then
    tree:add_proto_expert_info(x.short)
    return
  end
  if not kind or not kind.fits(len) then
    tree:add_proto_expert_info(x.form)
    return
  end
  local body, crc = tvb(0, len), tree:add(r.crc, tvb(len, 4))
  tree:add(r.type, tvb(0, 1))
  if crc32(body:bytes()) ~= tvb(len, 4):uint() then
    crc:add_proto_expert_info(x.crc)
    return
  end
  kind.show(tree, body, pinfo, root)
end

DissectorTable.get("wtap_encap"):add(wtap.USER0, serial)
