using Aerie.Storage;
using Aerie.Storage.Codecs;
using Aerie.Storage.Devices;

namespace Aerie.Server.Records;

/// What a persistent namespace lies on. Save writes the metadata so that it is safe when it returns, and throws what a
/// device says; Found is what the devices knew at the start, null on new ones. Coding is how images are stored there.
public sealed record NamespaceStorage(
    IBlockBacking Backing, Action<NamespaceMetadata> Save, NamespaceMetadata? Found, LastUpdateClock UpdateClock, ImageCoding Coding);
