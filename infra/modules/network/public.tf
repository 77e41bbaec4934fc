# Only where a load balancer faces the internet: subnets for it alone, of a /20 still a /27, the least that one takes. Workers
# never stand here.

resource "aws_internet_gateway" "front" {
  count = var.has_public_subnets ? 1 : 0

  vpc_id = aws_vpc.workers.id
  tags   = merge(var.tags, { Name = var.prefix })
}

resource "aws_subnet" "public" {
  for_each = { for zone, number in local.zones : zone => number if var.has_public_subnets }

  vpc_id                  = aws_vpc.workers.id
  availability_zone       = each.key
  cidr_block              = cidrsubnet(var.cidr, 7, 120 + each.value)
  map_public_ip_on_launch = false # the load balancer brings its own addresses
  tags                    = merge(var.tags, { Name = "${var.prefix}-public-${each.key}" })
}

resource "aws_route_table" "public" {
  count = var.has_public_subnets ? 1 : 0

  vpc_id = aws_vpc.workers.id
  tags   = merge(var.tags, { Name = "${var.prefix}-public" })

  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.front[0].id
  }
}

resource "aws_route_table_association" "public" {
  for_each = aws_subnet.public

  subnet_id      = each.value.id
  route_table_id = aws_route_table.public[0].id
}
