#pragma once

#include <cstddef>
#include <cstdint>

// The format is that of LMDB 0.9, in the machine's byte order. A page begins with its number
// (8 bytes), padding (2), its kind (2), and then the ends of the free space between the nodes'
// offsets and the nodes (2 + 2), or, on an overflow page, the count of pages that it spans (4).
// A node has a header of 8 bytes and a key; in a leaf then a value, or the number of an overflow
// page that holds it.

namespace anchor::io::lmdb_format {

using PageNumber = std::uint64_t;

inline constexpr std::size_t kPageHeaderBytes = 16;
inline constexpr std::uint16_t kBranchPage = 0x01;
inline constexpr std::uint16_t kLeafPage = 0x02;
inline constexpr std::uint16_t kOverflowPage = 0x04;
inline constexpr std::uint16_t kMetaPage = 0x08;

inline constexpr std::size_t kNodeHeaderBytes = 8;
inline constexpr std::uint16_t kOverflowNode = 0x01;  // the value is on an overflow page
inline constexpr std::uint16_t kTreeNode = 0x02;      // the value is a Tree
inline constexpr std::size_t kLargestKeyBytes = 511;

inline constexpr std::uint32_t kMagic = 0xBEEFC0DE;
inline constexpr std::uint32_t kVersion = 1;
inline constexpr PageNumber kMetaCount = 2;
inline constexpr PageNumber kNoPage = ~PageNumber{0};
inline constexpr std::uint16_t kIntegerKeys = 0x08;
inline constexpr std::uint16_t kSingleFile = 0x4000;
inline constexpr std::uint16_t kDeepest = 32;  // LMDB's cursors have no room for more

// A tree as the file describes it: the free list and the directory of buckets in a meta page, a
// bucket in a node.
struct Tree {
  std::uint32_t page_size = 0;  // in the free list's only
  std::uint16_t flags = 0;
  std::uint16_t depth = 0;
  std::uint64_t branch_page_count = 0;
  std::uint64_t leaf_page_count = 0;
  std::uint64_t overflow_page_count = 0;
  std::uint64_t entry_count = 0;
  PageNumber root = kNoPage;
};
static_assert(sizeof(Tree) == 48);

struct Meta {
  std::uint32_t magic = 0;
  std::uint32_t version = 0;
  std::uint64_t fixed_address = 0;
  std::uint64_t map_bytes = 0;
  Tree free_list;
  Tree buckets;
  PageNumber last_page = 0;
  std::uint64_t transaction = 0;
};
static_assert(sizeof(Meta) == 136);

}  // namespace anchor::io::lmdb_format
