#include "core/kv/settings.h"

#include <algorithm>
#include <set>

#include "core/base/random.h"

namespace anchor::kv {

bool change(Settings& settings, const std::vector<SettingValue>& values) {
  Settings changed = settings;
  std::set<std::string_view> seen;
  for (const auto& [name, value] : values) {
    const auto* setting = std::ranges::find(kSettings, name, &Setting::name);
    if (setting == kSettings.end() || !seen.insert(name).second) return false;
    if (value < setting->least || value > setting->most) return false;
    changed.*setting->value = value;
  }
  // What was once allowed may have been used.
  if (changed.feature_level < settings.feature_level) return false;
  settings = changed;
  return true;
}

std::uint64_t hash_settings(const Settings& settings) {
  std::uint64_t hash = 0;
  for (const Setting& setting : kSettings) hash = mix64(hash ^ settings.*setting.value);
  return hash;
}

}  // namespace anchor::kv
