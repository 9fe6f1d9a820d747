-- SPDX-License-Identifier: Apache-2.0
-- Shows larch in Wireshark and tshark, version 4.0 or later: the direct exchange in CoAP payloads (PROTOCOL.md, section 1),
-- and records of the sniffer board's serial line in captures of link type USER0 (section 5), unstuffed.
--
--   tshark -X lua_script:larch.lua -V -r capture.pcapng
--
-- or copied into the folder "Personal Lua Plugins" that `tshark -G folders` names.

local SETS = { -- by the length of the KEM ciphertext
  [768] = "ML-KEM-512",
  [1088] = "ML-KEM-768",
  [1568] = "ML-KEM-1024",
}
local KEYS = { [800] = "ML-KEM-512", [1184] = "ML-KEM-768", [1568] = "ML-KEM-1024" } -- by the key's length
local HEAD, TAG = 18, 16 -- bytes of a sealed message before the KEM ciphertext, and at its end

-- ---- the direct exchange ------------------------------------------------------

local direct = Proto("larch", "larch direct exchange")
local f = {
  kem = ProtoField.string("larch.kem", "Parameter set"),
  ek = ProtoField.bytes("larch.ek", "Encapsulation key"),
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
    return wrong_length(tree, range:len(), "800, 1184 or 1568")
  end
  tree:add(f.kem, range, kem):set_generated()
  tree:add(f.ek, range)
  return kem .. " key"
end

local function show_sealed(tree, range)
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
    return wrong_length(length_item, ct_len, "768, 1088 or 1568 (BAD_CT)")
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
    return wrong_length(tree, range:len(), "4 + 768, 1088 or 1568 (BAD_LEN)")
  end
  tree:add(f.pinned, range(0, 4))
  tree:add(f.kem, range, kem):set_generated()
  tree:add(f.ct, range(4))
  return kem .. " which key is next?"
end

local function show_next_answer(tree, range)
  if range:len() ~= 48 then
    return wrong_length(tree, range:len(), "48")
  end
  tree:add(f.present, range(0, 32))
  tree:add(f.endorsement, range(32, 16))
  return "next key"
end

local function show_answer(tree, range, code)
  local item = tree:add(f.answer, range, range:string())
  if code >= 0x80 then
    item:add_proto_expert_info(e.refused, "The gateway refused it: " .. range:string())
  end
  return range:string()
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
    crc = bit32.bxor(crc, bytes:get_index(i))
    for _ = 1, 8 do
      crc = bit32.bxor(bit32.rshift(crc, 1), bit32.band(crc, 1) * 0xedb88320)
    end
  end
  return bit32.bxor(crc, 0xffffffff)
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
    wlan:call(body(22):tvb(), pinfo, root)
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
