namespace EdgeFirmware.Platform.Images;

/// <summary>What a receiver answers to an <see cref="ImageOutline"/>.</summary>
/// <param name="IsHere">The engine has the whole image: nothing needs to be sent.</param>
/// <param name="LayersPresent">How many layers the sender may leave out, from the base. It may be all of them for an image that is not here: then
/// only its configuration is sent.</param>
public readonly record struct ImagePresence(bool IsHere, int LayersPresent);
