namespace Aerie.DataModel.Geo;

/// A direction from the centre of the Earth: a point of the unit sphere, or a normal of a plane through its centre.
public readonly record struct SpherePoint(double X, double Y, double Z)
{
    public static SpherePoint FromDegrees(double longitude, double latitude)
    {
        var (sinLongitude, cosLongitude) = Math.SinCos(longitude * (Math.PI / 180));
        var (sinLatitude, cosLatitude) = Math.SinCos(latitude * (Math.PI / 180));
        return new SpherePoint(cosLongitude * cosLatitude, sinLongitude * cosLatitude, sinLatitude);
    }

    public double Length => Math.Sqrt(Dot(this));

    public double Dot(SpherePoint other) => X * other.X + Y * other.Y + Z * other.Z;

    public SpherePoint Cross(SpherePoint other) =>
        new(Y * other.Z - Z * other.Y, Z * other.X - X * other.Z, X * other.Y - Y * other.X);

    /// The normal of the plane that this point and the other span, twice as long as their cross product; unlike that it keeps
    /// its direction where the two are close to each other.
    public SpherePoint Normal(SpherePoint other) => (this - other).Cross(this + other);

    /// In radians.
    public double Angle(SpherePoint other) => Math.Atan2(Cross(other).Length, Dot(other));

    public SpherePoint Normalized() => this * (1 / Length);

    /// A point a quarter of a great circle away.
    public SpherePoint Perpendicular() =>
        Cross(Math.Abs(X) < 0.5 ? new SpherePoint(1, 0, 0) : new SpherePoint(0, 1, 0)).Normalized();

    public static SpherePoint operator +(SpherePoint a, SpherePoint b) => new(a.X + b.X, a.Y + b.Y, a.Z + b.Z);

    public static SpherePoint operator -(SpherePoint a, SpherePoint b) => new(a.X - b.X, a.Y - b.Y, a.Z - b.Z);

    public static SpherePoint operator -(SpherePoint a) => new(-a.X, -a.Y, -a.Z);

    public static SpherePoint operator *(SpherePoint a, double factor) => new(a.X * factor, a.Y * factor, a.Z * factor);
}
