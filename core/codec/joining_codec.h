#pragma once

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/joining.h"

namespace anchor::codec {

// Frames as in message_codec.h, of proto/joining.capnp. Decoding trusts nothing.
Bytes encode_join_request(const JoinRequest& request);
Result<JoinRequest> decode_join_request(const Bytes& frame);
Bytes encode_join_reply(const JoinReply& reply);
Result<JoinReply> decode_join_reply(const Bytes& frame);

// What is stored of a joining that has not come to its end.
Bytes encode_join_token(const JoinToken& token);
Result<JoinToken> decode_join_token(const Bytes& frame);

}  // namespace anchor::codec
