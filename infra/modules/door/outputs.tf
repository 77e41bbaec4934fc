output "security_group_id" {
  description = "Group of the door: whom it may call is said by rules that name it."
  value       = aws_security_group.door.id
}
