#pragma once
// written by the store's author
namespace anchor::kv { class Store; }
