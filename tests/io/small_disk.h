#pragma once

#include <sys/mount.h>

#include <filesystem>
#include <string>
#include <utility>

namespace anchor::io {

// A file system of its own, in memory; only root may have one.
class SmallDisk {
 public:
  SmallDisk(std::string path, const char* size) : path_(std::move(path)) {
    std::filesystem::create_directory(path_);
    mounted_ = mount(size, 0);
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool mounted() const { return mounted_; }
  bool resize(const char* size) { return mount(size, MS_REMOUNT); }

 private:
  bool mount(const char* size, unsigned long flags) const {
    const std::string options = std::string("size=") + size;
    return ::mount("tmpfs", path_.c_str(), "tmpfs", flags, options.c_str()) == 0;
  }

  std::string path_;
  bool mounted_ = false;
};

}  // namespace anchor::io
