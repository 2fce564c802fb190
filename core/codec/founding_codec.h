#pragma once

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/founding.h"

namespace anchor::codec {

// Frames as in message_codec.h, of proto/founding.capnp. Decoding trusts nothing.
Bytes encode_founding_request(const FoundingRequest& request);
Result<FoundingRequest> decode_founding_request(const Bytes& frame);
Bytes encode_founding_reply(const FoundingReply& reply);
Result<FoundingReply> decode_founding_reply(const Bytes& frame);

// What a founder stores of a proposal that it accepted.
Bytes encode_founding_proposal(const FoundingProposal& proposal);
Result<FoundingProposal> decode_founding_proposal(const Bytes& frame);

}  // namespace anchor::codec
